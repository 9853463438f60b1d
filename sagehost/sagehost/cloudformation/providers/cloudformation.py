"""Types without a service: they exist only in their stack."""

from __future__ import annotations

from sagehost.cloudformation.providers.provider import Props, Provider, Resource, Setting


class _InStackOnly(Provider):
    def create(self, resource: Resource, _: Props) -> str:
        """Give the id, of a handle an address. WaitCondition, which waits for signals there, is not emulated."""
        return self.id.format(region=resource.region, name=resource.generated_name(128))

    def delete(self, *_: object) -> None:
        """There is no service to call."""


PROVIDERS = (
    _InStackOnly(
        "AWS::CDK::Metadata",
        id="{name}",
        settings=(Setting(frozenset(["Analytics", "Modules"]), lambda *_: None),),
    ),
    _InStackOnly(
        "AWS::CloudFormation::WaitConditionHandle",
        id="https://cloudformation-waitcondition-{region}.s3.amazonaws.com/{name}",
    ),
)
