"""STS."""

from tests.unit.sagehost.validation.examples import Cases

EXAMPLES: Cases = {"session of a user": ("GetSessionToken", {}, {}, None)}
