"""Removal: nothing is left, unless the environment asks for protection."""

import re

import boto3

from mistral7b.operate.inventory import inventory
from tests.e2e.conftest import DEPLOY, REGION, TOOLS_ACCOUNT, User, said, succeeded


def test_destroy_leaves_nothing(user: User, session: boto3.Session) -> None:
    before = inventory(session)
    with user.having("gone", {"region": REGION, "auto_scaling": {"min_instances": 1, "max_instances": 3}}):
        user.deploy("gone")
        during = {resource.kind for resource in inventory(session) - before}
        succeeded(user.cdk("destroy", "gone/*", "--force"))
    assert during >= {
        "sagemaker endpoint",
        "scalable target",
        "scaling policy",
        "vpc",
        "log group",
        "role",
        "parameter",
    }
    assert inventory(session) == before


def test_a_protected_environment_is_destroyed_only_once_its_file_and_protect_say_so(user: User) -> None:
    values = {"region": REGION, "network": {"runtime_endpoint": False}}
    with user.having("kept", values | {"termination_protection": True}):
        user.deploy("kept")
        succeeded(user.mistral7b("protect", "kept"))
        refused = user.cdk("destroy", "kept/*", "--force")
        endpoint = user.client("sagemaker").describe_endpoint(EndpointName="mistral-7b-instruct-kept")
    with user.having("kept", values):
        succeeded(user.mistral7b("protect", "kept"))
        succeeded(user.cdk("destroy", "kept/*", "--force"))
    stacks = user.client("cloudformation").describe_stacks()["Stacks"]
    assert refused.returncode != 0
    assert "TerminationProtection" in said(refused)
    assert endpoint["EndpointStatus"] == "InService"
    assert not [stack for stack in stacks if stack["StackName"].startswith("mistral-7b-kept")]


def test_a_first_deployment_that_fails_can_be_repeated_and_destroyed_although_the_file_asks_for_protection(
    user: User,
) -> None:
    wrong = {"region": REGION, "network": {"runtime_endpoint": False}, "callers": {"role_names": ["nobody"]}}
    with user.having("failing", wrong | {"termination_protection": True}):
        assert user.try_to_deploy("failing").returncode != 0
        assert "nobody" in user.mistral7b("doctor", "failing").stdout
    with user.having("failing", wrong | {"callers": {"role_names": ["someone"]}, "termination_protection": True}):
        again = user.try_to_deploy("failing")
        succeeded(user.cdk("destroy", "failing/*", "--force"))
    told = again.stdout + again.stderr
    assert "TerminationProtection" not in told
    assert "someone" in told
    assert "nobody" not in told


def test_destroy_without_the_bootstrap_names_the_missing_role_and_works_after_another_bootstrap(user: User) -> None:
    with user.having("alone", {"region": REGION, "network": {"runtime_endpoint": False}}):
        user.deploy("alone")
        user.client("cloudformation").delete_stack(StackName="CDKToolkit")
        refused = user.cdk("destroy", "alone/*", "--force")
        succeeded(user.cdk("bootstrap", f"aws://{TOOLS_ACCOUNT}/{REGION}"))
        succeeded(user.cdk("destroy", "alone/*", "--force"))
    role = r"Role arn:aws:iam::\d+:role/cdk-\S+-cfn-exec-role-\S+ is invalid or cannot be assumed"
    assert refused.returncode != 0
    assert re.search(role, refused.stdout + refused.stderr)


def test_a_retained_log_group_is_imported_by_the_next_deployment(user: User) -> None:
    logs, values = user.client("logs"), {"region": REGION, "network": {"runtime_endpoint": False}}
    with user.having("again", values | {"removal": {"log_group": "retain"}}):
        user.deploy("again")
        succeeded(user.cdk("destroy", "again/*", "--force"))
        refused = user.try_to_deploy("again")
        succeeded(user.cdk("destroy", "again/*", "--force"))
        imported = succeeded(user.cdk_of("again", "deploy", *DEPLOY, "--import-existing-resources"))
    with user.having("again", values):
        deletable = user.cdk_of("again", "deploy", *DEPLOY)
        succeeded(user.cdk("destroy", "again/*", "--force"))
    assert refused.returncode != 0
    assert "already exist" in said(refused)
    assert "IMPORT_COMPLETE" in said(imported)
    succeeded(deletable)
    assert not [one for one in logs.describe_log_groups()["logGroups"] if "again" in one["logGroupName"]]
