"""What each environment's account runs, and whose commit that is."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.environment import Environment
from mistral7b.promotion import PromotedEnvironment
from mistral7b.rehearsal.deployed import NOTHING, deployed, deployed_commits
from tests.unit.rehearsal.fakes import PIPELINE, FakeClient, FakePipeline, Moment, Run, refusal

DEV = PromotedEnvironment(Environment(name="dev", region="us-east-1"), "222222222222", (), False)
ACTIONS = ["dev/network.Deploy", "dev/endpoint.Deploy", "dev/Smoke", "prod/endpoint.Deploy"]
EXECUTES = {"ActionMode": "CHANGE_SET_EXECUTE", "StackName": "s"}


def sagemaker(error: ClientError | None = None) -> FakeClient:
    """SageMaker with dev's endpoint, or one that refuses."""

    def endpoint(EndpointName: str) -> dict[str, Any]:
        if error is not None:
            raise error
        told = {"EndpointName": EndpointName, "EndpointArn": "arn:aws:sagemaker:us-east-1:222222222222:endpoint/dev"}
        told |= {"EndpointConfigName": "config", "EndpointStatus": "InService"}
        times = {"CreationTime": 0, "LastModifiedTime": 0}
        return {**told, **times, "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentInstanceCount": 3}]}

    def config(EndpointConfigName: str) -> dict[str, Any]:
        variant = {"VariantName": "AllTraffic", "ModelName": "model", "InstanceType": "ml.g5.2xlarge"}
        told = {"EndpointConfigName": EndpointConfigName, "EndpointConfigArn": "arn:aws:sagemaker:endpoint-config/c"}
        return {**told, "ProductionVariants": [{**variant, "InitialInstanceCount": 1}], "CreationTime": 0}

    def model(ModelName: str) -> dict[str, Any]:
        container = {"Environment": {"MAX_TOTAL_TOKENS": "8192"}}
        told = {"ModelName": ModelName, "ModelArn": "arn:aws:sagemaker:us-east-1:222222222222:model/m"}
        return {**told, "PrimaryContainer": container, "CreationTime": 0}

    answers = {"describe_endpoint": endpoint, "describe_endpoint_config": config, "describe_model": model}
    return FakeClient("sagemaker", answers)


def commits(*runs: Run) -> dict[str, str]:
    """The commits that the pipeline has deployed, each execution's being `commit of EXECUTION`."""
    pipeline = FakePipeline(ACTIONS, [Moment([*runs])])

    def execution(pipelineName: str, pipelineExecutionId: str) -> dict[str, Any]:
        revision = {"name": "Source", "revisionId": f"commit of {pipelineExecutionId}"}
        return {"pipelineExecution": {"pipelineName": pipelineName, "artifactRevisions": [revision]}}

    pipeline.client._answers = {**pipeline.client._answers, "get_pipeline_execution": execution}
    return deployed_commits(pipeline.client, PIPELINE)


def deploy(title: str, execution: str, after: float, status: str = "Succeeded") -> Run:
    """A run of an action that executes a change set."""
    return Run(title, status, "Deploy", after=after, execution=execution, configuration=EXECUTES)


def test_an_endpoint_is_shown_with_its_status_instances_settings_and_commit() -> None:
    found = deployed(lambda *_: sagemaker(), DEV, {"dev": "c0ffee"})
    assert (found.status, found.instance_type, found.instances) == ("InService", "ml.g5.2xlarge", 3)
    assert (found.settings, found.commit) == ({"MAX_TOTAL_TOKENS": "8192"}, "c0ffee")


def test_an_account_without_the_endpoint_runs_nothing() -> None:
    found = deployed(lambda *_: sagemaker(refusal("ValidationException")), DEV, {})
    assert (found.status, found.instances, found.commit) == (NOTHING, 0, "")


def test_an_account_that_may_not_be_asked_is_a_failure() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed(lambda *_: sagemaker(refusal("AccessDeniedException")), DEV, {})


def test_the_commit_is_that_of_the_last_deployment_of_the_endpoint() -> None:
    older, newer = deploy("dev/endpoint.Deploy", "one", 1), deploy("dev/endpoint.Deploy", "two", 9)
    assert commits(newer, older) == {"dev": "commit of two"}


def test_a_deployment_that_failed_leaves_the_commit_before() -> None:
    before, failed = deploy("dev/endpoint.Deploy", "one", 1), deploy("dev/endpoint.Deploy", "two", 9, "Failed")
    network = deploy("dev/network.Deploy", "two", 8)
    assert commits(before, network, failed) == {"dev": "commit of one"}


def test_tests_that_succeed_deploy_nothing() -> None:
    assert commits(deploy("dev/endpoint.Deploy", "one", 1), Run("dev/Smoke", execution="two", after=9)) == {
        "dev": "commit of one"
    }


def test_each_stage_has_its_own_commit() -> None:
    runs = [deploy("dev/endpoint.Deploy", "two", 9), deploy("prod/endpoint.Deploy", "one", 2)]
    assert commits(*runs) == {"dev": "commit of two", "prod": "commit of one"}
