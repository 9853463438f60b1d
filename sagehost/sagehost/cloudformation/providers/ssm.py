"""Systems Manager: parameters."""

from sagehost.cloudformation.providers.provider import Props, Provider, Resource
from sagehost.cloudformation.values import Json


class _Parameter(Provider):
    def update(self, resource: Resource, properties: Props) -> None:
        """PutParameter overwrites when told to."""
        sent = {"Description": "", **self.parameters(resource, properties)}
        resource.call_on("put_parameter", properties, Overwrite=True, **sent)

    def tag_handle(self, resource: Resource, parameter: str) -> dict[str, Json]:
        """Systems Manager names what it tags by type and id."""
        return {"ResourceType": "Parameter", parameter: resource.id}


PROVIDERS = (
    _Parameter(
        "AWS::SSM::Parameter",
        create_with="put_parameter",
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
