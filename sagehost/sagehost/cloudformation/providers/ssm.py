"""Systems Manager: parameters."""

from sagehost.cloudformation.providers.provider import Provider, Resource
from sagehost.cloudformation.values import Json


class _Parameter(Provider):
    def tag_handle(self, resource: Resource, parameter: str) -> dict[str, Json]:
        """Systems Manager names what it tags by type and id."""
        return {"ResourceType": "Parameter", parameter: resource.id}


PROVIDERS = (
    _Parameter(
        "AWS::SSM::Parameter",
        put_with="put_parameter",
        find_with="get_parameter",
        defaults={"Description": "", "Overwrite": True},
        sends="Name Type Value Description AllowedPattern Tier DataType Policies",
        name="Name",
        longest_name=1011,
        attributes={
            "Arn": lambda resource, _: resource.text(
                f"arn:{{partition}}:ssm:{{region}}:{{account}}:parameter/{resource.id.lstrip('/')}", {}
            ),
            "Name": "{id}",
            "Type": "{Type}",
            "Value": "{Value}",
        },
    ),
)
