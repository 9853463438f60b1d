"""CodeConnections, by the properties of its resources."""

from tests.unit.sagehost.validation.examples import Cases

EXAMPLES: Cases = {"no provider": ("CreateConnection", {"ConnectionName": "c"}, {}, {"ProviderType": "GitHub"})}
