"""Corrections to moto 5.2.5, one module a service. Each says what it replaces and why.

`tests/unit/localaws/patches` fails when moto no longer has what a correction replaces, or no longer needs it.
"""

from __future__ import annotations

from functools import cache

from localaws.patches import applicationautoscaling, cloudtrail, cloudwatch, ec2, iam, sts


@cache
def install() -> None:
    """Apply every correction, once in a process."""
    for service in (applicationautoscaling, cloudtrail, cloudwatch, ec2, iam, sts):
        service.install()
