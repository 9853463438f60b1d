"""What the catalogue knows of an environment, for rules that can tell nothing where it knows nothing."""

from mistral7b import catalog
from mistral7b.environment.schema import Environment


def version_is_known(env: Environment) -> bool:
    """Whether JumpStart has published the environment's version of its model."""
    return env.model_version is None or any(v.version == env.model_version for v in catalog.model(env.model).versions)
