"""Several accounts and regions: one user's credentials reach those that trust the user's account."""

from typing import Any

import pytest

from sagehost.accounts import credentials
from tests.e2e.conftest import REGION, TOOLS_ACCOUNT, User, succeeded

OTHER = "222222222222"
OTHER_REGION = "eu-west-1"


@pytest.fixture(scope="module")
def elsewhere(user: User) -> User:
    """The user, after an environment of another account and region is deployed with the tools account's credentials."""
    trusting = [
        "--trust",
        TOOLS_ACCOUNT,
        "--cloudformation-execution-policies",
        "arn:aws:iam::aws:policy/AdministratorAccess",
    ]
    succeeded(
        user.cdk(
            "bootstrap",
            f"aws://{OTHER}/{OTHER_REGION}",
            *trusting,
            extra=credentials(OTHER, OTHER_REGION, secret=user.secret),
        )
    )
    with user.having("other", {"account": OTHER, "region": OTHER_REGION, "network": {"runtime_endpoint": False}}):
        user.deploy("other")
    return user


def endpoints(sagemaker: Any) -> list[str]:
    """Names of the endpoints that a client sees."""
    return [endpoint["EndpointName"] for endpoint in sagemaker.list_endpoints()["Endpoints"]]


def test_an_environment_lands_in_its_own_account_and_region(elsewhere: User) -> None:
    assert endpoints(elsewhere.client("sagemaker", OTHER, OTHER_REGION)) == ["mistral-7b-instruct-other"]


def test_an_environment_does_not_land_in_the_users_account(elsewhere: User) -> None:
    assert "mistral-7b-instruct-other" not in endpoints(elsewhere.client("sagemaker", TOOLS_ACCOUNT, OTHER_REGION))
    assert "mistral-7b-instruct-other" not in endpoints(elsewhere.client("sagemaker", TOOLS_ACCOUNT, REGION))


def test_an_account_that_is_not_bootstrapped_is_named(user: User) -> None:
    with user.having("bare", {"account": "444444444444", "region": REGION}):
        result = user.try_to_deploy("bare")
    assert result.returncode != 0
    assert "444444444444" in result.stdout + result.stderr
