"""CloudFormation: a service of our own, on moto's wire protocol and over moto's other services."""

from sagehost import moto_app


def install() -> None:
    """Answer CloudFormation's requests here; the code is loaded with the first of them."""
    moto_app.serve("cloudformation", _load)


def _load() -> moto_app.Dispatch:
    from sagehost.cloudformation.api import CloudFormation  # noqa: PLC0415

    return CloudFormation.dispatch
