"""The pipeline: one cloud assembly, made once of a commit, promoted from environment to environment."""

from mistral7b_stacks.pipeline.stack import PipelineStack

__all__ = ["PipelineStack"]
