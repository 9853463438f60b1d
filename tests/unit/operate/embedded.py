"""The checks of an environment in an account of this process's embedded AWS."""

from collections.abc import Callable
from typing import Any

from mistral7b.environment import Environment
from mistral7b.operate.account import CHECKS
from mistral7b.operate.checks import Check, Finding, Target, run
from mistral7b.operate.place import Place
from sagehost import moto_app

REGION = "us-east-1"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def environment(**fields: Any) -> Environment:
    """dev, with these fields."""
    return Environment.model_validate({"name": "dev", "region": REGION, **fields})


def target(account: str, env: Environment, client: Callable[[str], Any] | None = None, **fields: Any) -> Target:
    """The environment in the account, or before other clients than the account's."""
    own = client or (lambda service: moto_app.client(service, account, env.region))
    return Target(Place(account, env.region, (env.name,), account), own, "environments/dev.yaml", env, **fields)


def named(name: str) -> Check:
    """One of the checks."""
    [one] = [one for one in CHECKS if one.name == name]
    return one


def found(name: str, account: str, env: Environment, **fields: Any) -> list[Finding]:
    """What one check finds."""
    return named(name)(target(account, env, **fields))


def all_found(account: str, env: Environment) -> list[Finding]:
    """What all of them find."""
    return run([(one, target(account, env)) for one in CHECKS])
