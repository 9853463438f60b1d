"""The rules of environment files."""

from collections.abc import Iterator

from mistral7b import catalog
from mistral7b.environment.schema import Environment
from mistral7b.yamlfile import Finding, Rulebook

_RULEBOOK = Rulebook[Environment]()
RULES = _RULEBOOK.rules
"""Every rule, with the fields that it reads."""
rule = _RULEBOOK.rule
check = _RULEBOOK.check
Findings = Iterator[Finding]


def version_is_known(env: Environment) -> bool:
    """Whether JumpStart has published the environment's version of its model."""
    return env.model_version is None or any(v.version == env.model_version for v in catalog.model(env.model).versions)
