"""Which stages and actions the pipeline has, in which order, and the settings of the whole."""

from typing import Any

import pytest

from mistral7b_stacks.pipeline import PipelineStack
from tests.unit.stacks.pipeline.reading import action, actions, of_type, resource
from tests.variants import FOLDERS, PROMOTIONS

PIPELINE = "AWS::CodePipeline::Pipeline"


def order(template: Any, stage: str) -> list[set[str]]:
    """Names of a stage's actions, by run order; CloudFormation's without the stack's."""
    found: dict[int, set[str]] = {}
    for one in actions(template):
        if one.stage == stage:
            found.setdefault(one.run_order, set()).add(one.name.removeprefix(f"mistral-7b-{stage}-"))
    return [found[number] for number in sorted(found)]


def test_stages_are_source_build_update_and_the_environments_in_order_of_promotion(templates: dict[str, Any]) -> None:
    stages = dict.fromkeys(one.stage for one in actions(templates["typical/pipeline"]))
    assert list(stages) == ["Source", "Build", "UpdatePipeline", "dev", "staging", "prod"]


def test_the_commit_is_built_before_the_pipeline_updates_itself_which_is_reviewed(templates: dict[str, Any]) -> None:
    template = templates["typical/pipeline"]
    assert [order(template, stage) for stage in ("Source", "Build", "UpdatePipeline")] == [
        [{"Source"}],
        [{"Synth"}],
        [{"Review", "SecurityChanges"}, {"SelfMutate"}],
    ]


def test_an_environment_is_reviewed_deployed_and_smoke_tested(templates: dict[str, Any]) -> None:
    assert order(templates["typical/pipeline"], "dev") == [
        {"Review", "SecurityChanges"},
        {"endpoint.Prepare"},
        {"endpoint.Deploy"},
        {"Protect", "Smoke"},
    ]


def test_production_is_approved_after_the_review_and_before_the_deployment(templates: dict[str, Any]) -> None:
    assert order(templates["typical/pipeline"], "prod")[:3] == [
        {"Review", "SecurityChanges"},
        {"Promote"},
        {"endpoint.Prepare"},
    ]


def test_what_is_at_office_hours_is_started_after_the_approvals_and_before_the_deployment(
    templates: dict[str, Any],
) -> None:
    assert order(templates["variants/pipeline"], "archive")[:4] == [
        {"Review", "SecurityChanges"},
        {"Promote"},
        {"Start"},
        {"endpoint.Prepare", "github.Prepare"},
    ]


def test_gates_follow_the_smoke_test_one_after_another(templates: dict[str, Any]) -> None:
    assert order(templates["variants/pipeline"], "planned")[-3:] == [{"Protect", "Smoke"}, {"Gate1"}, {"Gate2"}]


def test_only_environments_with_approval_wait_for_promotion(templates: dict[str, Any]) -> None:
    for folder, promotion in PROMOTIONS.items():
        found = {one.stage for one in actions(templates[f"{folder}/pipeline"]) if one.name == "Promote"}
        assert found == {one.name for one in promotion.environments if one.approval}


def test_approvals_are_manual_and_have_a_comment(templates: dict[str, Any]) -> None:
    for folder in FOLDERS:
        for one in actions(templates[f"{folder}/pipeline"]):
            if one.name in ("SecurityChanges", "Promote"):
                assert one.provider == "Manual"
                assert one.configuration["CustomData"]


def test_a_newer_execution_supersedes_a_waiting_one(templates: dict[str, Any]) -> None:
    properties = resource(templates["typical/pipeline"], PIPELINE)["Properties"]
    assert (properties["PipelineType"], properties["ExecutionMode"]) == ("V2", "SUPERSEDED")


def test_an_execution_that_changes_the_pipeline_restarts(templates: dict[str, Any]) -> None:
    assert resource(templates["typical/pipeline"], PIPELINE)["Properties"]["RestartExecutionOnUpdate"] is True


def test_the_pipeline_is_in_the_account_and_region_of_its_file(pipelines: dict[str, PipelineStack]) -> None:
    for folder, stack in pipelines.items():
        settings = PROMOTIONS[folder].settings
        assert (stack.account, stack.region) == (settings.account, settings.region)
        assert (stack.node.path, stack.stack_name) == ("pipeline", "mistral-7b-pipeline")


def test_an_environment_of_another_region_is_deployed_there(templates: dict[str, Any]) -> None:
    found = {one.stage: one.region for one in actions(templates["variants/pipeline"]) if one.name.endswith("Deploy")}
    assert found == {"everything": "", "planned": "", "archive": "eu-west-1"}


def test_stacks_of_other_regions_are_deployed_first(pipelines: dict[str, PipelineStack]) -> None:
    stack = pipelines["variants"]
    assert [one.node.path for one in stack.dependencies if one.node.path.startswith("pipeline")] == [
        "pipeline-eu-west-1"
    ]
    assert pipelines["typical"].replicas == {}


def test_the_cdk_cli_protects_no_stack_which_would_be_before_its_first_deployment(
    pipelines: dict[str, PipelineStack],
) -> None:
    assert {one.termination_protection for stack in pipelines.values() for one in stack.stacks} <= {None, False}


def test_tags_of_the_file_are_on_the_stacks_resources(templates: dict[str, Any]) -> None:
    for path in ("variants/pipeline", "variants/pipeline-eu-west-1"):
        tags = [r["Properties"]["Tags"] for r in templates[path]["Resources"].values() if "Tags" in r["Properties"]]
        assert tags
        for given in tags:
            assert {"team": "search", "cost-centre": "42"}.items() <= {t["Key"]: t["Value"] for t in given}.items()


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_construct_of_the_cdk_makes_a_role_policy_or_bucket_of_its_own(
    folder: str, templates: dict[str, Any]
) -> None:
    template = templates[f"{folder}/pipeline"]
    assert of_type(template, "AWS::IAM::Policy") == []
    ours = ("Role", "Builds", "Artifacts", "Key")
    kinds = ("AWS::IAM::Role", "AWS::S3::Bucket", "AWS::KMS::Key")
    made = [name for name, r in template["Resources"].items() if r["Type"] in kinds]
    assert [name for name in made if not name.startswith(ours)] == []


def test_outputs_name_the_connection_and_its_console_page(templates: dict[str, Any]) -> None:
    outputs = templates["typical/pipeline"]["Outputs"]
    connection = next(n for n, r in templates["typical/pipeline"]["Resources"].items() if "Connection" in r["Type"])
    assert outputs["ConnectionArn"]["Value"] == {"Fn::GetAtt": [connection, "ConnectionArn"]}
    assert outputs["ConnectionHandshake"]["Value"] == (
        "https://us-east-1.console.aws.amazon.com/codesuite/settings/connections?region=us-east-1"
    )


def test_the_source_is_the_branch_of_the_file(templates: dict[str, Any]) -> None:
    found = action(templates["variants/pipeline"], "Source", "Source")
    assert found.provider == "CodeStarSourceConnection"
    assert found.configuration["FullRepositoryId"] == "search/mistral-7b"
    assert found.configuration["BranchName"] == "release/7b"
    assert found.configuration["ConnectionArn"] == PROMOTIONS["variants"].settings.source.connection_arn
