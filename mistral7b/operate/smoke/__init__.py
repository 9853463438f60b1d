"""Whether a deployed endpoint serves as its environment file says, and is what was deployed."""
