"""The project's main job from beginning to end, on the embedded AWS, in one command."""
