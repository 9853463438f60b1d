"""Least privilege: what no policy of any environment may say, and what each has to."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from mistral7b.operate.permissions import StackPolicies, Statement
from mistral7b.operate.reads import permissions
from sagemaker_tgi.arns import INVOKE_ACTIONS
from tests.unit.stacks.conftest import label, unused_reasons
from tests.variants import ENVIRONMENTS

SERVICES: Mapping[str, Any] = load_resource(AdditionalSpecs, "Policies.json")
"""The service authorization reference: actions and the resources that each accepts, in lower case."""
# The reference names a resource type, of datasets, which the metrics of PutMetricData are not in. The documentation
# narrows it by namespace: CloudWatch user guide, "Using condition keys to limit access to CloudWatch namespaces".
NARROWED_BY_CONDITION = {"cloudwatch:PutMetricData": "cloudwatch:namespace"}
# The reference names a resource type; whether SageMaker's calls carry it no page says, so the statement is on all.
UNSURE = {"ec2:DeleteNetworkInterfacePermission"}
WILDCARD_ACTIONS = {
    ("KeyPolicy", "AccountDecides"): {"kms:*"},  # AWS KMS developer guide, "Default key policy"
    ("KeyPolicy", "LogsEncrypt"): {"kms:ReEncrypt*", "kms:GenerateDataKey*"},  # see EncryptionKey for the source
    # What the bootstrap lets its deploy roles do with artifacts (bootstrap-template.yaml).
    ("PolicyDocument", "DeployRolesRead"): {"s3:GetObject*"},
    ("PolicyDocument", "DeployRolesFind"): {"s3:GetBucket*", "s3:List*"},
}
TRUST = "AssumeRolePolicyDocument"


@pytest.fixture(scope="module")
def by_environment(statements: list[Statement]) -> dict[str, list[Statement]]:
    return {name: [one for one in statements if environment(one) == name] for name in ENVIRONMENTS}


def environment(statement: Statement) -> str:
    return statement.stack.split("/")[0]


def named(statements: list[Statement]) -> list[str]:
    return [label(statement) for statement in statements]


def texts(statement: Statement) -> list[str]:
    return [*statement.resources, *(value for _, _, value in statement.conditions)]


def condition(statement: Statement, operator: str, key: str) -> list[str]:
    return [value for op, name, value in statement.conditions if (op, name) == (operator, key)]


def partition(environment: str) -> str:
    return "aws-cn" if ENVIRONMENTS[environment].region.startswith("cn-") else "aws"


def regional_arn(environment: str, service: str, resource: str) -> str:
    settings = ENVIRONMENTS[environment]
    account = settings.account or "<account>"
    return f"arn:{partition(environment)}:{service}:{settings.region}:{account}:{resource}"


def endpoint(environment: str) -> str:
    return regional_arn(
        environment, "sagemaker", f"endpoint/{ENVIRONMENTS[environment].resolved_endpoint_name.lower()}"
    )


def test_every_policy_document_is_read(templates: dict[str, Any], all_statements: list[Statement]) -> None:
    in_templates = json.dumps(templates).count('"Effect":')
    assert len(all_statements) == in_templates > 0


def test_every_statement_has_a_reason(all_statements: list[Statement]) -> None:
    assert named([s for s in all_statements if not s.reason]) == []


def test_every_reason_has_a_statement(read: dict[str, list[StackPolicies]]) -> None:
    assert [reason for stacks in read.values() for one in stacks for reason in unused_reasons(one)] == []


def test_no_managed_policy_is_made_or_attached(templates: dict[str, Any]) -> None:
    resources = [(f"{path}/{name}", r) for path, t in templates.items() for name, r in t["Resources"].items()]
    assert [name for name, r in resources if r["Type"] == "AWS::IAM::ManagedPolicy"] == []
    assert [name for name, r in resources if "ManagedPolicyArns" in r.get("Properties", {})] == []


def accepts_no_resource(action: str) -> bool:
    service, name = action.lower().split(":")
    return not SERVICES[service]["Actions"][name].get("Resources")


def is_narrowed(statement: Statement, action: str) -> bool:
    key = NARROWED_BY_CONDITION.get(action)
    return key is not None and bool(condition(statement, "StringEquals", key))


def test_statements_name_their_resources_if_iam_accepts_one(all_statements: list[Statement]) -> None:
    too_wide = [
        f"{label(s)}: {action}"
        for s in all_statements
        if "*" in s.resources and s.policy != "KeyPolicy"
        for action in s.actions
        if action not in UNSURE and not accepts_no_resource(action) and not is_narrowed(s, action)
    ]
    assert too_wide == []


def test_every_action_is_one_that_iam_knows(all_statements: list[Statement]) -> None:
    plain = {action for s in all_statements for action in s.actions if "*" not in action}
    unknown = {a for a in plain if a.split(":")[1].lower() not in SERVICES[a.split(":")[0]]["Actions"]}
    assert unknown == set()


def test_only_key_policies_and_denials_have_wildcard_actions(all_statements: list[Statement]) -> None:
    wide = [
        f"{label(s)}: {action}"
        for s in all_statements
        if s.effect != "Deny"
        for action in s.actions
        if "*" in action and action not in WILDCARD_ACTIONS.get((s.policy, s.key), set())
    ]
    assert wide == []


def test_every_key_is_managed_by_its_account(statements: list[Statement]) -> None:
    managed = [s for s in statements if s.key == "AccountDecides"]
    assert {(s.stack, s.path) for s in managed} == {(s.stack, s.path) for s in statements if s.policy == "KeyPolicy"}
    for s in managed:
        account = ENVIRONMENTS[environment(s)].account or "<account>"
        assert s.principals == (f"AWS arn:{partition(environment(s))}:iam::{account}:root",)


def test_cloudwatch_logs_uses_a_key_for_the_log_group_of_its_stack(statements: list[Statement]) -> None:
    for s in (s for s in statements if s.key == "LogsEncrypt"):
        settings = ENVIRONMENTS[environment(s)]
        group = (
            f"/mistral7b/{environment(s)}/vpc-flow-logs" if s.path == "Network/Key" else "/aws/sagemaker/Endpoints/*"
        )
        expected = [regional_arn(environment(s), "logs", f"log-group:{group}")]
        assert condition(s, "ArnLike", "kms:EncryptionContext:aws:logs:arn") == expected
        assert s.principals == (f"Service logs.{settings.region}.<dns suffix>",)


def test_only_vpc_endpoint_policies_have_wildcard_principals(all_statements: list[Statement]) -> None:
    anyone = [s for s in all_statements if s.effect == "Allow" and any(p.split()[1] == "*" for p in s.principals)]
    assert {s.resource_type for s in anyone} == {"AWS::EC2::VPCEndpoint"}


def test_a_service_assumes_a_role_only_for_its_resources_of_this_account(statements: list[Statement]) -> None:
    sources = {"sagemaker.amazonaws.com": ("sagemaker", "*"), "vpc-flow-logs.amazonaws.com": ("ec2", "vpc-flow-log/*")}
    for s in (s for s in statements if s.policy == TRUST and s.principals[0].startswith("Service")):
        [service] = [principal.split()[1] for principal in s.principals]
        assert s.actions == ("sts:AssumeRole",)
        assert condition(s, "StringEquals", "aws:SourceAccount") == [
            ENVIRONMENTS[environment(s)].account or "<account>"
        ]
        source = condition(s, "ArnLike", "aws:SourceArn")
        if service == "scheduler.amazonaws.com":
            assert source == ["<Arn of endpoint/OfficeHours/Group>"]
        else:
            assert source == [regional_arn(environment(s), *sources[service])], label(s)


def test_services_in_resource_policies_act_only_for_this_account(statements: list[Statement]) -> None:
    of_services = [s for s in statements if s.policy != TRUST and any(p.startswith("Service") for p in s.principals)]
    unbound = [
        s
        for s in of_services
        if condition(s, "StringEquals", "aws:SourceAccount") != [ENVIRONMENTS[environment(s)].account or "<account>"]
        and s.key != "LogsEncrypt"  # tested above: by the log groups' ARNs, account included
    ]
    assert of_services
    assert named(unbound) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_caller_may_only_invoke_this_endpoint(
    environment: str, by_environment: dict[str, list[Statement]], templates: dict[str, Any]
) -> None:
    settings = ENVIRONMENTS[environment]
    policies = [s for s in by_environment[environment] if s.path.startswith("Caller-")]
    vpc = settings.network.existing_vpc.vpc_id if settings.network.existing_vpc else "<endpoint/Network/Vpc>"
    conditions = (("StringEquals", "aws:SourceVpc", vpc),) if settings.callers.only_from_vpc else ()
    one = ("Allow", tuple(INVOKE_ACTIONS), (endpoint(environment),), conditions)
    assert [(s.effect, s.actions, s.resources, s.conditions) for s in policies] == [one] * len(
        settings.callers.role_names
    )
    resources = templates[f"{environment}/endpoint"]["Resources"].values()
    named = [r["Properties"] for r in resources if str(r["Properties"].get("PolicyName")).startswith("invoke-")]
    assert sorted(one["RoleName"] for one in named) == sorted(settings.callers.role_names)
    # Replaced, not changed, where the endpoint gets another name; a role can have callers' policies of two regions.
    names = {one["PolicyName"] for one in named}
    assert names <= {f"invoke-{settings.resolved_endpoint_name}-{settings.region}"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_operator_may_read_what_the_doctor_reads_and_nothing_else(
    environment: str, by_environment: dict[str, list[Statement]]
) -> None:
    settings = ENVIRONMENTS[environment]
    where = (partition(environment), settings.account or "<account>", settings.region)
    wanted = {(resource, *sorted(actions)) for _, resource, actions in permissions(settings, *where)}
    for role in settings.operators.role_names:
        policy = [s for s in by_environment[environment] if s.path == f"Operator-{role}"]
        assert {(*s.resources, *sorted(s.actions)) for s in policy} == wanted
    assert bool(settings.operators.role_names) is (environment in ("everything", "own-weights"))


def test_callers_with_and_without_a_vpc_are_among_the_environments() -> None:
    assert {e.callers.only_from_vpc for e in ENVIRONMENTS.values() if e.callers.role_names} == {True, False}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_interface_endpoint_allows_only_endpoints_of_this_account(
    environment: str, by_environment: dict[str, list[Statement]]
) -> None:
    policies = [s for s in by_environment[environment] if s.path == "Network/Runtime"]
    expected = [(tuple(INVOKE_ACTIONS), (regional_arn(environment, "sagemaker", "endpoint/*"),))]
    settings = ENVIRONMENTS[environment]
    own = settings.own_vpc is not None and settings.network.runtime_endpoint
    assert [(s.actions, s.resources) for s in policies] == (expected if own else [])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_model_reads_only_its_own_weights(environment: str, by_environment: dict[str, list[Statement]]) -> None:
    bucket, key = ENVIRONMENTS[environment].artifact_uri.removeprefix("s3://").split("/", maxsplit=1)
    pattern = key if key.endswith(".tar.gz") else f"{key}*"
    arn = f"arn:{partition(environment)}:s3:::{bucket}"
    role = [s for s in by_environment[environment] if s.path.startswith("Role/")]
    on_s3 = {
        action: (s.resources, s.conditions)
        for s in role
        for action in s.actions
        if action.startswith("s3:") and s.key != "WriteCaptured"
    }
    of, listed = _OWNERS.get(environment, (None, []))
    owner = [("StringEquals", "aws:ResourceAccount", of)] if of else []
    assert on_s3 == {
        "s3:GetObject": ((f"{arn}/{pattern}",), tuple(owner)),
        "s3:ListBucket": ((arn,), (*owner, *(("StringLike", "s3:prefix", one) for one in listed))),
    }


_OWNERS: dict[str, tuple[str, list[str]]] = {
    "own-weights": (
        "444455556666",
        ["mistral-7b/support-answers/3", "mistral-7b/support-answers/3/*"],
    ),
    "own-image": ("<account>", ["mistral-7b-legal.tar.gz", "mistral-7b-legal.tar.gz*"]),
}
"""Account of the bucket of own weights, and the prefixes by which the role lists it."""


def test_only_amazon_s3_decrypts_weights_for_the_model(statements: list[Statement]) -> None:
    found = [s for s in statements if "kms:Decrypt" in s.actions and s.path == "Role/Artifact"]
    key = ENVIRONMENTS["own-weights"].artifact
    assert key is not None
    assert [(environment(s), s.resources) for s in found] == [("own-weights", (key.kms_key_arn,))]
    assert condition(found[0], "StringEquals", "kms:ViaService") == ["s3.us-east-1.<dns suffix>"]


@pytest.mark.parametrize("environment", ["own-weights", "own-image", "dev"])
def test_the_gateway_endpoint_leads_to_a_bucket_of_the_right_owner(
    environment: str, by_environment: dict[str, list[Statement]]
) -> None:
    found = [s for s in by_environment[environment] if s.key in ("ReadArtifacts", "ListArtifacts")]
    owner = condition(found[0], "StringEquals", "aws:ResourceAccount")
    assert owner == ([_OWNERS[environment][0]] if environment in _OWNERS else [])
    assert {s.conditions for s in found} == {found[0].conditions}
    assert found[0].resources == (f"arn:aws:s3:::{ENVIRONMENTS[environment].artifact_uri.split('/')[2]}/*",)


def test_captured_requests_are_written_and_never_read(statements: list[Statement]) -> None:
    on_bucket = [
        s
        for s in statements
        if s.effect == "Allow" and any("endpoint/DataCapture/Bucket" in resource for resource in s.resources)
    ]
    assert {s.actions for s in on_bucket} == {("s3:PutObject",)}
    assert {s.resources for s in on_bucket} == {("<Arn of endpoint/DataCapture/Bucket>/captured/*",)}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_statement_names_another_environments_endpoint_or_log_group(
    environment: str, by_environment: dict[str, list[Statement]]
) -> None:
    names = {name: {name, settings.resolved_endpoint_name.lower()} for name, settings in ENVIRONMENTS.items()}
    others = set().union(*names.values()) - names[environment]
    found = [
        f"{label(s)}: {text}"
        for s in by_environment[environment]
        for text in texts(s)
        if others & set(re.split(r"[/:*]", text.lower()))
    ]
    assert found == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_arn_of_an_endpoint_is_this_environments(
    environment: str, by_environment: dict[str, list[Statement]]
) -> None:
    arns = {text for s in by_environment[environment] for text in texts(s) if ":endpoint/" in text}
    assert arns <= {endpoint(environment), regional_arn(environment, "sagemaker", "endpoint/*")}
