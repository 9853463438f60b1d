"""What is deployed is compared with an assembly, and what cannot be compared never counts as harmless."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.errors import UserError
from mistral7b.promotion.review import Review, review
from sagehost import moto_app
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap

NAME = "mistral-7b-dev-endpoint"
LOOKUP = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/cdk-team7b-lookup-role-${AWS::AccountId}-us-east-1"
Statement = dict[str, Any]
ALLOW: Statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*", "Principal": {"AWS": "111111111111"}}
DENY: Statement = {**ALLOW, "Effect": "Deny"}


def template(*statements: Statement) -> dict[str, Any]:
    """A topic with such a policy."""
    policy = {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    topic_policy = {"Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy}} if statements else {}
    return {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, **topic_policy}}


def assemble(folder: Path, content: dict[str, Any]) -> Path:
    """A cloud assembly with the stage dev of one stack, and with the pipeline's stack."""
    nested = folder / "assembly-dev"
    nested.mkdir(parents=True)

    def stack(name: str) -> dict[str, Any]:
        properties = {"templateFile": "stack.json", "stackName": name, "lookupRole": {"arn": LOOKUP}}
        return {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://unknown-account/{REGION}",
            "properties": properties,
        }

    stage = {"displayName": "dev", "directoryName": "assembly-dev"}
    top = {"dev": {"type": "cdk:cloud-assembly", "properties": stage}, "pipeline": stack("mistral-7b-pipeline")}
    for place, artifacts in ((folder, top), (nested, {"endpoint": stack(NAME)})):
        (place / "manifest.json").write_text(json.dumps({"artifacts": {**artifacts, "Tree": {"type": "cdk:tree"}}}))
        (place / "stack.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def ready(cloud: EmbeddedCloud) -> EmbeddedCloud:
    """A bootstrapped account, with a qualifier."""
    bootstrap(cloud.account, qualifier="team7b")
    return cloud


def deploy(cloud: EmbeddedCloud, content: dict[str, Any]) -> None:
    client = moto_app.client("cloudformation", cloud.account, REGION)
    client.create_stack(StackName=NAME, TemplateBody=json.dumps(content), Capabilities=["CAPABILITY_IAM"])


def compare(cloud: EmbeddedCloud, folder: Path, *after: Statement) -> Review:
    return review(cloud, assemble(folder / "out", template(*after)), "dev")


def test_the_same_templates_broaden_nothing(ready: EmbeddedCloud, tmp_path: Path) -> None:
    deploy(ready, template(ALLOW))
    found = compare(ready, tmp_path, ALLOW)
    assert (found.broadens, found.changes) == (False, [])


def test_everything_is_new_in_a_stack_that_does_not_exist(ready: EmbeddedCloud, tmp_path: Path) -> None:
    found = compare(ready, tmp_path, ALLOW)
    assert (found.broadens, found.changes) == (True, ["+ Allow AWS 111111111111: sns:Publish on ${Policy}"])


def test_everything_is_new_in_a_stack_that_failed_its_first_deployment(ready: EmbeddedCloud, tmp_path: Path) -> None:
    broken = template(ALLOW)
    broken["Resources"]["Role"] = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "a", "Roles": ["nobody"], "PolicyDocument": {"Statement": []}},
    }
    deploy(ready, broken)
    assert compare(ready, tmp_path, ALLOW).broadens


@pytest.mark.parametrize(
    ("before", "after", "broadens"),
    [
        ([ALLOW], [], False),
        ([ALLOW], [ALLOW, DENY], False),
        ([ALLOW, DENY], [ALLOW], True),
        ([], [ALLOW], True),
        ([ALLOW], [{**ALLOW, "Principal": {"AWS": "222222222222"}}], True),
        ([ALLOW], [{**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}], True),
    ],
)
def test_only_less_allowed_or_more_denied_narrows(
    before: list[Statement], after: list[Statement], broadens: bool, ready: EmbeddedCloud, tmp_path: Path
) -> None:
    deploy(ready, template(*before))
    assert compare(ready, tmp_path, *after).broadens is broadens


def test_a_change_shows_the_statement_before_and_after(ready: EmbeddedCloud, tmp_path: Path) -> None:
    deploy(ready, template(ALLOW))
    assert compare(ready, tmp_path, {**ALLOW, "Principal": "*"}).changes == [
        "+ Allow *: sns:Publish on ${Policy}",
        "- Allow AWS 111111111111: sns:Publish on ${Policy}",
    ]


def test_the_pipelines_own_stack_is_compared_by_its_id(ready: EmbeddedCloud, tmp_path: Path) -> None:
    assert review(ready, assemble(tmp_path / "out", template(ALLOW)), "pipeline").broadens


def test_an_account_that_lets_nobody_in_is_an_error(cloud: EmbeddedCloud, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="AssumeRole"):
        compare(cloud, tmp_path, ALLOW)


def test_a_template_that_is_not_json_is_an_error(ready: EmbeddedCloud, tmp_path: Path) -> None:
    client = moto_app.client("cloudformation", ready.account, REGION)
    client.create_stack(StackName=NAME, TemplateBody="Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n")
    with pytest.raises(UserError, match=f"stack {NAME} cannot be compared"):
        compare(ready, tmp_path, ALLOW)


@pytest.mark.parametrize("name", ["deb", "*", "dev/*", "", "Tree"])
def test_an_environment_that_is_not_in_the_assembly_is_a_wrong_argument(
    name: str, ready: EmbeddedCloud, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="There are dev, pipeline") as caught:
        review(ready, assemble(tmp_path / "out", {}), name)
    assert caught.value.status == 2


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}", '{"artifacts": []}', '{"artifacts": {"a": 1}}'])
def test_a_folder_that_is_not_an_assembly_is_a_wrong_argument(
    manifest: str | None, ready: EmbeddedCloud, tmp_path: Path
) -> None:
    folder = assemble(tmp_path / "out", {})
    (folder / "manifest.json").write_text(manifest or "") if manifest is not None else folder.rename(tmp_path / "away")
    with pytest.raises(UserError, match="no cloud assembly") as caught:
        review(ready, folder, "dev")
    assert caught.value.status == 2
