"""Systems Manager: parameters."""

from sagehost.cloudformation.providers.provider import Props, Provider, Resource
from sagehost.cloudformation.values import Json


class Parameter(Provider):
    """A parameter."""

    def tag_handle(self, resource: Resource, parameter: str) -> dict[str, Json]:
        """Systems Manager names what it tags by type and id."""
        return {"ResourceType": "Parameter", parameter: resource.id}


def arn(resource: Resource, _: Props) -> str:
    """The attribute of a parameter, whose name may begin with a slash."""
    return resource.text(f"arn:{{partition}}:ssm:{{region}}:{{account}}:parameter/{resource.id.lstrip('/')}", {})
