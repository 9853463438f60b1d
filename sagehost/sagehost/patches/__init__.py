"""Corrections to moto 5.2.5, one module a service. Each says what it replaces and why.

`tests/unit/sagehost/patches` fails when moto no longer has what a correction replaces, or no longer needs it.
"""

import importlib
from functools import cache

SERVICES = (
    "applicationautoscaling",
    "cloudtrail",
    "cloudwatch",
    "ec2",
    "iam",
    "kms",
    "logs",
    "s3",
    "scheduler",
    "sqs",
    "sts",
)
"""moto's names of the services that are corrected."""


@cache
def install(service: str) -> None:
    """Apply the corrections of a service, once in a process. Imports the service: moto loads them when first used."""
    if service in SERVICES:
        importlib.import_module(f"{__name__}.{service}")
