"""What each role of the pipeline may do, to the last action."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from mistral7b.operate.permissions import Statement
from mistral7b.promotion import PromotedEnvironment, Promotion
from mistral7b_stacks.pipeline.artifacts import ArtifactStore
from mistral7b_stacks.pipeline.service_role import pipeline_role
from mistral7b_stacks.pipeline.source import Repository
from tests.unit.constraints import limits
from tests.unit.stacks.pipeline.reading import actions, of_type, text
from tests.variants import PROMOTIONS, new_app

TYPICAL, VARIANTS = PROMOTIONS["typical"], PROMOTIONS["variants"]
TRUST = "AssumeRolePolicyDocument"
BUCKET = "<Arn of pipeline/Artifacts/Bucket>"
KEY = "<Arn of pipeline/Artifacts/Key>"


@pytest.fixture(scope="module")
def typical(of_pipelines: dict[str, list[Statement]]) -> list[Statement]:
    return of_pipelines["typical"]


@pytest.fixture(scope="module")
def variants(of_pipelines: dict[str, list[Statement]]) -> list[Statement]:
    return of_pipelines["variants"]


def permissions(statements: list[Statement], path: str) -> dict[str, tuple[set[str], set[str]]]:
    """Actions and resources of a role's own policies, by Sid."""
    found = [s for s in statements if s.path == path and s.policy != TRUST]
    assert found
    assert {s.effect for s in found} == {"Allow"}
    return {s.key: (set(s.actions), set(s.resources)) for s in found}


def objects(artifact: str) -> str:
    return f"{BUCKET}/mistral-7b-pipeline/{artifact}/*"


def logs(action: str, account: str = "111111111111") -> str:
    group = f"arn:aws:logs:us-east-1:{account}:log-group:/mistral7b/pipeline"
    return f"{group}:log-stream:mistral-7b-pipeline-{action}/*"


def bootstrap(kind: str, account: str, region: str = "us-east-1") -> str:
    return f"arn:aws:iam::{account}:role/cdk-hnb659fds-{kind}-role-{account}-{region}"


def by_both_names(operation: str) -> set[str]:
    """Actions of the service that was CodeStar Connections."""
    return {f"{service}:{operation}" for service in ("codeconnections", "codestar-connections")}


def common(action: str, *artifacts: str) -> dict[str, tuple[set[str], set[str]]]:
    """What every build may: log, and read the artifacts that it works on."""
    return {
        "WriteLogs": ({"logs:CreateLogStream", "logs:PutLogEvents"}, {logs(action)}),
        "ReadArtifacts": ({"s3:GetObject", "s3:GetObjectVersion"}, {objects(a) for a in artifacts}),
        "FindArtifacts": ({"s3:GetBucketAcl", "s3:GetBucketLocation"}, {BUCKET}),
        "UseArtifactKey": ({"kms:Decrypt", "kms:DescribeKey"}, {KEY}),
    }


def test_the_build_reads_the_commit_and_writes_the_assembly(typical: list[Statement]) -> None:
    assert permissions(typical, "Builds/Build-SynthRole") == common("Build-Synth", "Source") | {
        "UseArtifactKey": ({"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}, {KEY}),
        "WriteAssembly": ({"s3:PutObject"}, {objects("Synth_Outp")}),
    }


def test_no_other_build_may_write_an_artifact(typical: list[Statement], variants: list[Statement]) -> None:
    writing = {(s.stack, s.path) for s in (*typical, *variants) if "s3:PutObject" in s.actions and not s.principals}
    assert writing == {("pipeline", "Builds/Build-SynthRole"), ("pipeline", "Role")}


def test_the_update_deploys_with_the_pipelines_accounts_bootstrap_and_only_looks_elsewhere(
    typical: list[Statement],
) -> None:
    own = "111111111111"
    expected = common("UpdatePipeline-SelfMutate", "Source", "Synth_Outp") | {
        "DeployPipeline": ({"sts:AssumeRole"}, {bootstrap("deploy", own), bootstrap("file-publishing", own)}),
        "LookAtAccounts": (
            {"sts:AssumeRole"},
            {bootstrap("lookup", account) for account in (own, "222222222222", "333333333333")},
        ),
        "FindConnection": ({"cloudformation:ListStackResources"}, {"<stack>"}),
        "LookAtConnection": (by_both_names("GetConnection"), {"<ConnectionArn of pipeline/Connection>"}),
    }
    assert permissions(typical, "Builds/UpdatePipeline-SelfMutateRole") == expected


def test_the_update_deploys_the_stacks_of_other_regions_too(variants: list[Statement]) -> None:
    own = VARIANTS.settings.account
    _, resources = permissions(variants, "Builds/UpdatePipeline-SelfMutateRole")["DeployPipeline"]
    kinds, regions = ("deploy", "file-publishing"), ("us-east-1", "eu-west-1")
    assert resources == {bootstrap(kind, own, region) for kind in kinds for region in regions}


def test_a_review_reads_its_environment_and_gives_only_its_approval(typical: list[Statement]) -> None:
    pipeline = "arn:aws:codepipeline:us-east-1:111111111111:mistral-7b-pipeline"
    expected = common("staging-Review", "Source", "Synth_Outp") | {
        "LookAtEnvironment": ({"sts:AssumeRole"}, {bootstrap("lookup", "222222222222")}),
        "FindApproval": ({"codepipeline:GetPipelineState"}, {pipeline}),
        "AnswerApproval": ({"codepipeline:PutApprovalResult"}, {f"{pipeline}/staging/SecurityChanges"}),
    }
    assert permissions(typical, "Builds/staging-ReviewRole") == expected


def test_the_review_of_the_pipeline_looks_at_its_own_accounts_regions(variants: list[Statement]) -> None:
    own = VARIANTS.settings.account
    held = permissions(variants, "Builds/UpdatePipeline-ReviewRole")
    regions = ("us-east-1", "eu-west-1")
    assert held["LookAtEnvironment"] == ({"sts:AssumeRole"}, {bootstrap("lookup", own, region) for region in regions})
    pipeline = f"arn:aws:codepipeline:us-east-1:{own}:mistral-7b-pipeline"
    assert held["AnswerApproval"] == (
        {"codepipeline:PutApprovalResult"},
        {f"{pipeline}/UpdatePipeline/SecurityChanges"},
    )


def test_no_role_may_approve_a_promotion(typical: list[Statement], variants: list[Statement]) -> None:
    answered = {r for s in (*typical, *variants) if "codepipeline:PutApprovalResult" in s.actions for r in s.resources}
    assert {resource.rsplit("/", maxsplit=1)[1] for resource in answered} == {"SecurityChanges"}


def test_smoke_test_and_gates_assume_only_the_gate_role(typical: list[Statement]) -> None:
    expected = common("staging-Smoke", "Source") | {
        "WriteLogs": (
            {"logs:CreateLogStream", "logs:PutLogEvents"},
            {logs("staging-Smoke"), logs("staging-Gate*")},
        ),
        "AssumeGateRole": ({"sts:AssumeRole"}, {"arn:aws:iam::222222222222:role/mistral-7b-staging-gate"}),
    }
    assert permissions(typical, "Builds/staging-SmokeRole") == expected


def test_the_start_looks_by_the_lookup_role_and_acts_by_the_gate_role(variants: list[Statement]) -> None:
    found = permissions(variants, "Builds/archive-SmokeRole")
    assert found["AssumeGateRole"][1] == {"arn:aws:iam::111122223333:role/mistral-7b-archive-gate"}
    assert found["LookAtEnvironment"] == ({"sts:AssumeRole"}, {bootstrap("lookup", "111122223333", "eu-west-1")})
    assert logs("archive-Start", VARIANTS.settings.account) in found["WriteLogs"][1]


def test_protect_assumes_only_the_environments_deploy_role(typical: list[Statement]) -> None:
    expected = common("staging-Protect", "Source") | {
        "ProtectStacks": ({"sts:AssumeRole"}, {bootstrap("deploy", "222222222222")})
    }
    assert permissions(typical, "Builds/staging-ProtectRole") == expected


def test_the_pipeline_role_has_only_the_permissions_of_its_actions(typical: list[Statement]) -> None:
    accounts = ("111111111111", "222222222222", "333333333333")
    projects = "arn:aws:codebuild:us-east-1:111111111111:project/mistral-7b-pipeline-*"
    assert permissions(typical, "Role") == {
        "UseConnection": (by_both_names("UseConnection"), {"<ConnectionArn of pipeline/Connection>"}),
        "KeepArtifacts": (
            {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"},
            {f"{BUCKET}/mistral-7b-pipeline/*"},
        ),
        "FindArtifacts": ({"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"}, {BUCKET}),
        "UseArtifactKey": ({"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}, {KEY}),
        "RunBuilds": ({"codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"}, {projects}),
        "DeployEnvironments": ({"sts:AssumeRole"}, {bootstrap("deploy", account) for account in accounts}),
    }


def test_copies_in_another_region_use_only_that_regions_key(variants: list[Statement]) -> None:
    [statement] = [s for s in variants if s.key == "UseKeysOfCopies"]
    assert statement.resources == (f"arn:aws:kms:eu-west-1:{VARIANTS.settings.account}:key/*",)
    assert statement.conditions == (("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/mistral-7b-pipeline"),)


def test_the_pipeline_may_assume_every_role_of_its_actions(
    templates: dict[str, Any], of_pipelines: dict[str, list[Statement]]
) -> None:
    for folder, collected in of_pipelines.items():
        own = PROMOTIONS[folder].settings.account
        taken = {one.role for one in actions(templates[f"{folder}/pipeline"]) if one.role}
        literal = {arn.replace("<AWS::Partition>", "aws").replace("<AWS::AccountId>", own) for arn in taken}
        assert literal == permissions(collected, "Role")["DeployEnvironments"][1]


def test_only_deployments_assume_another_role_than_the_pipelines(templates: dict[str, Any]) -> None:
    for folder in PROMOTIONS:
        by_role = {bool(one.role): set[str]() for one in actions(templates[f"{folder}/pipeline"])}
        for one in actions(templates[f"{folder}/pipeline"]):
            by_role[bool(one.role)].add(one.provider)
        assert by_role == {True: {"CloudFormation"}, False: {"CodeStarSourceConnection", "CodeBuild", "Manual"}}


def test_each_builds_role_is_for_its_own_projects_of_this_account(typical: list[Statement]) -> None:
    found = {
        s.path: {key: {value for _, name, value in s.conditions if name == key} for _, key, _ in s.conditions}
        for s in typical
        if s.policy == TRUST and s.principals == ("Service codebuild.amazonaws.com",)
    }
    account = "111111111111"
    project = f"arn:aws:codebuild:us-east-1:{account}:project/mistral-7b-pipeline"
    assert found["Builds/prod-ReviewRole"]["aws:SourceArn"] == {f"{project}-prod-Review"}
    assert found["Builds/prod-SmokeRole"]["aws:SourceArn"] == {f"{project}-prod-Smoke", f"{project}-prod-Gate*"}
    assert all(conditions["aws:SourceAccount"] == {account} for conditions in found.values())


def test_only_services_assume_the_pipelines_roles(typical: list[Statement], variants: list[Statement]) -> None:
    trusted = {s.principals for s in (*typical, *variants) if s.policy == TRUST}
    assert trusted == {("Service codebuild.amazonaws.com",), ("Service codepipeline.amazonaws.com",)}


def test_roles_that_other_accounts_trust_have_fixed_names(templates: dict[str, Any]) -> None:
    for folder, promotion in PROMOTIONS.items():
        roles = of_type(templates[f"{folder}/pipeline"], "AWS::IAM::Role")
        named = {r["Properties"]["RoleName"] for r in roles if "RoleName" in r["Properties"]}
        assert named == {f"mistral-7b-pipeline-{one.name}-gates" for one in promotion.environments}


def test_deploy_roles_read_only_the_assembly(variants: list[Statement]) -> None:
    own, other = VARIANTS.settings.account, "111122223333"
    by_stack = {s.stack: s for s in variants if s.key == "DeployRolesRead"}
    assert set(by_stack["pipeline"].principals) == {
        f"AWS {bootstrap('deploy', own)}",
        f"AWS {bootstrap('deploy', other)}",
    }
    assert by_stack["pipeline"].resources == (objects("Synth_Outp"),)
    assert by_stack["pipeline-eu-west-1"].principals == (f"AWS {bootstrap('deploy', other, 'eu-west-1')}",)
    assert {s.actions for s in by_stack.values()} == {("s3:GetObject*",)}


def test_deploy_roles_find_the_bucket_as_the_bootstrap_allows(variants: list[Statement]) -> None:
    found = [s for s in variants if s.key == "DeployRolesFind"]
    assert {s.actions for s in found} == {("s3:GetBucket*", "s3:List*")}
    assert not any("/*" in resource for s in found for resource in s.resources)


def test_deploy_roles_decrypt_only_through_s3(variants: list[Statement]) -> None:
    found = {s.stack: (s.actions, s.conditions) for s in variants if s.key == "DeployRolesDecrypt"}
    assert found == {
        stack: (("kms:Decrypt", "kms:DescribeKey"), (("StringEquals", "kms:ViaService", f"s3.{region}.<dns suffix>"),))
        for stack, region in (("pipeline", "us-east-1"), ("pipeline-eu-west-1", "eu-west-1"))
    }


def test_as_many_environments_as_a_pipeline_takes_are_within_the_size_of_a_roles_policies(tmp_path: Path) -> None:
    """47 of the 50 stages that CodePipeline takes.

    Policies of 47 environments fit into a role's 10,240 characters, a trust policy into 2,048. Source: IAM user
    guide, quotas.
    """
    environments = [_copy(TYPICAL.environments[-1], number) for number in range(47)]
    promotion = Promotion(TYPICAL.settings, TYPICAL.file, tuple(environments))
    stack = cdk.Stack(new_app(outdir=str(tmp_path)), "Test", env=cdk.Environment(account="1" * 12, region="us-east-1"))
    store = ArtifactStore(stack, "Artifacts", retention_days=1, deploy_role_arns=[])
    repository = Repository(stack, TYPICAL.settings.source)
    pipeline_role(stack, promotion=promotion, store=store, replicas={}, repository=repository)
    template = dict(Template.from_stack(stack).to_json())
    [role] = of_type(template, "AWS::IAM::Role")
    assert text(json.dumps(role)).count("deploy-role") == 47
    assert [problem for problem in limits.problems(template) if "characters" in problem] == []


def _copy(promoted: PromotedEnvironment, number: int) -> PromotedEnvironment:
    name, account = f"e{number:019d}", f"{number + 1:012d}"
    environment = promoted.environment.model_copy(update={"name": name, "account": account})
    return PromotedEnvironment(environment, account, promoted.gates, promoted.approval)
