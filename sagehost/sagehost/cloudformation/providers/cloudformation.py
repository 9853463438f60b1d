"""Types without a service: they exist in their stack alone."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.providers.base import Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import names


def _nothing(*_: object) -> None:
    """There is no service to tell."""


def _handle(context: Context, _: Props) -> str:
    """Ref of a handle is an address that signals would go to; WaitCondition, which waits for them, is not emulated."""
    return f"https://cloudformation-waitcondition-{context.region}.s3.amazonaws.com/{context.made_up_name(128)}"


PROVIDERS: Mapping[str, Provider] = {
    "AWS::CDK::Metadata": Provider(
        create=lambda context, _: context.made_up_name(128),
        delete=_nothing,
        facets=(Facet(names("Analytics Modules"), _nothing),),
    ),
    "AWS::CloudFormation::WaitConditionHandle": Provider(create=_handle, delete=_nothing),
}
