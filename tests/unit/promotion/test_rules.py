"""What CodePipeline, IAM or good sense would refuse later is refused by the pipeline file's rules."""

import re

import boto3
import pytest
import yaml

from mistral7b.catalog import partition
from mistral7b.promotion.rules import MOST_STAGES
from mistral7b.promotion.schema import PIPELINE_REGIONS
from tests.unit.promotion.conftest import FILES, HEAD, Load, Problems, head, promoting

DEV = promoting("dev")
CONNECTION = "connection/12345678-1234-1234-1234-123456789012"


def source(**values: str) -> str:
    """A pipeline file with such a source."""
    fields = ", ".join(f'{name}: "{value}"' for name, value in {"repository": "owner/name", **values}.items())
    return head(source=f"source: {{{fields}}}") + DEV


REFUSED = {
    "an environment without a file": (HEAD + promoting("dev", "stagin"), "environments[1].name", "no such environment"),
    "an environment promoted twice": (HEAD + promoting("dev", "dev"), "environments[1].name", "environments[0] has it"),
    "no environment": (HEAD + "environments: []", "environments", "1 entries or more"),
    "production first": (HEAD + promoting("prod", "dev"), "environments[0].name", "tried out there first"),
    "production alone": (HEAD + promoting("prod"), "environments[0].name", "tried out there first"),
    "production before others": (HEAD + promoting("dev", "prod", "staging"), "environments[2].name", "after prod"),
    "production without an approval": (
        HEAD + "environments: [{name: dev}, {name: prod, approval: false}]",
        "environments[1].approval",
        "when someone has approved it",
    ),
    "a region without pipelines": (head(region="region: us-esat-1") + DEV, "region", "in no such region"),
    "a region without connections": (head(region="region: cn-north-1") + DEV, "region", "in no such region"),
    "an account of eleven digits": (head(account='account: "11111111111"') + DEV, "account", "not an account id"),
    "a repository without an owner": (source(repository="name"), "source.repository", "github names no repository"),
    "a repository by its URL": (
        source(repository="https://github.com/owner/name"),
        "source.repository",
        "github names no repository",
    ),
    "a repository's clone address": (source(repository="owner/name.git"), "source.repository", "names no repository"),
    "a group on GitHub": (source(repository="group/sub/name"), "source.repository", "github names no repository"),
    "a group on Bitbucket": (
        source(provider="bitbucket", repository="group/sub/name"),
        "source.repository",
        "bitbucket names no repository",
    ),
    "another host": (source(provider="codeberg"), "source.provider", "not one of the possible values"),
    "a branch by its ref": (source(branch="refs/heads/main"), "source.branch", "no branch of such a name"),
    "a connection's name": (
        source(connection_arn="mistral-7b"),
        "source.connection_arn",
        "not the ARN of a connection",
    ),
    "a connection of another account": (
        source(connection_arn=f"arn:aws:codeconnections:us-east-1:222222222222:{CONNECTION}"),
        "source.connection_arn",
        "connection of account 222222222222",
    ),
    "a connection of another partition": (
        source(connection_arn=f"arn:aws-cn:codeconnections:cn-north-1:111111111111:{CONNECTION}"),
        "source.connection_arn",
        "partition aws-cn",
    ),
    "a gate that does nothing": (
        HEAD + 'environments: [{name: dev, gates: ["  "]}]',
        "environments[0].gates[0]",
        "does nothing",
    ),
    "a gate that is a comment": (
        HEAD + 'environments: [{name: dev, gates: ["# later"]}]',
        "environments[0].gates[0]",
        "does nothing",
    ),
    "a benchmark without a baseline": (
        HEAD + "environments: [{name: dev, benchmark: {baseline: none.json}}]",
        "environments[0].benchmark.baseline",
        "the repository has no such file",
    ),
    "a baseline outside of the repository": (
        HEAD + "environments: [{name: dev, benchmark: {baseline: ../base.json}}]",
        "environments[0].benchmark.baseline",
        "wrong form",
    ),
    "a tolerance that is text": (
        HEAD + "environments: [{name: dev, benchmark: {baseline: base.json, tolerance_percent: 10%}}]",
        "environments[0].benchmark.tolerance_percent",
        "whole number",
    ),
    "alarms to wait for of an environment without": (
        HEAD + "environments: [{name: dev, quiet_minutes: 30}]",
        "environments[0].quiet_minutes",
        "dev has no alarms",
    ),
    "a longer wait than the gate role has": (
        HEAD + "environments: [{name: dev, quiet_minutes: 31}]",
        "environments[0].quiet_minutes",
        "it has to be 30 or less",
    ),
    "a command of two lines": (HEAD + DEV + 'build: {test: "a\\nb"}', "build.test", "not one line"),
    "a command without an end": (HEAD + DEV + f"build: {{setup: {'a' * 1001}}}", "build.setup", "limit is 1000"),
    "too many gates": (
        HEAD + f"environments: [{{name: dev, gates: [{', '.join(['a'] * 44)}]}}]",
        "environments[0].gates",
        "50 actions at most",
    ),
    "no address": (HEAD + DEV + "notifications: {emails: [team]}", "notifications.emails[0]", "not an e-mail address"),
    "an address twice": (
        HEAD + DEV + "notifications: {emails: [a@example.com, a@example.com]}",
        "notifications.emails",
        "is in it twice",
    ),
    "artifacts that are gone at once": (
        HEAD + DEV + "artifacts: {retention_days: 0}",
        "artifacts.retention_days",
        "1 or more",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses(case: str, problems: Problems) -> None:
    text, field, reason = REFUSED[case]
    found = problems(text)
    assert reason in found[field].reason
    assert found[field].fix


def test_it_refuses_nothing_else(load: Load) -> None:
    arn = f"arn:aws:codestar-connections:eu-west-1:111111111111:{CONNECTION}"
    text = source(provider="gitlab", repository="group/sub.group/my_name", connection_arn=arn, branch="release/1.0")
    text += "notifications: {emails: [first.last+tag@mail.example.com]}\n"
    assert load(text).settings.source.connection_arn == arn


def test_only_production_is_refused_with_what_to_put_before_it(problems: Problems) -> None:
    beside = problems(HEAD + promoting("prod"))["environments[0].name"].fix
    assert beside == "put dev and staging before it"


def test_production_without_another_file_has_the_fix_to_add_one(problems: Problems) -> None:
    found = problems(HEAD + promoting("prod"), {"prod": "region: us-east-1\n"})
    assert found["environments[0].name"].fix == "add an environment, such as staging.yaml, before it"


def test_several_productions_may_follow_each_other(load: Load) -> None:
    files = {**FILES, "eu-prod": "region: eu-west-1\n"}
    assert [one.approval for one in load(HEAD + promoting("dev", "prod", "eu-prod"), files).environments] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("name", ["source", "build", "updatepipeline"])
def test_an_environment_named_as_a_stage_of_the_pipeline_is_refused(name: str, problems: Problems) -> None:
    found = problems(HEAD + promoting(name), {name: "region: us-east-1\n"})
    assert "differ from it only in case" in found["environments[0].name"].reason


def test_environments_that_collide_only_in_the_pipelines_account_are_refused(problems: Problems) -> None:
    files = {
        "dev": "region: us-east-1\nendpoint_name: same\n",
        "test": 'region: us-east-1\nendpoint_name: Same\naccount: "111111111111"\n',
    }
    found = problems(HEAD + promoting("dev", "test"), files)["environments[1].name"]
    assert found.reason.startswith("dev and test have the same endpoint in one account and region")
    assert found.reason.endswith("(endpoint_name Same; test is in account 111111111111)")
    assert "give one of them another endpoint_name" in found.fix


def test_environments_that_would_collide_elsewhere_do_not_in_accounts_of_their_own(load: Load) -> None:
    files = {
        "dev": "region: us-east-1\nendpoint_name: same\n",
        "test": 'region: us-east-1\nendpoint_name: same\naccount: "222222222222"\n',
    }
    assert len(load(HEAD + promoting("dev", "test"), files).environments) == 2


def test_an_environment_of_another_partition_is_refused(problems: Problems) -> None:
    china = 'region: cn-north-1\naccount: "222222222222"\nnetwork: {s3_prefix_list_id: pl-12345678}\n'
    files = {"dev": "region: us-east-1\n", "china": china}
    found = problems(HEAD + promoting("dev", "china"), files)
    assert "of partition aws-cn, and the pipeline in aws" in found["environments[1].name"].reason


def test_roles_for_github_leave_room_for_two_gates_less(problems: Problems, load: Load) -> None:
    files = {"dev": "region: us-east-1\n"}

    def text(gates: int) -> str:
        entry = {"name": "dev", "gates": ["true"] * gates}
        return HEAD + yaml.safe_dump({"environments": [entry], "github_actions": {}})

    assert len(load(text(41), files).environments[0].gates) == 41
    assert "9 of them not gates" in problems(text(42), files)["environments[0].gates"].reason


def test_more_environments_than_stages_are_refused(problems: Problems) -> None:
    most = MOST_STAGES - 3
    names = [f"dev{number}" for number in range(most + 1)]
    found = problems(HEAD + promoting(*names), dict.fromkeys(names, "region: us-east-1\n"))
    assert found["environments"].fix == f"promote {most} environments at most"


def test_as_many_environments_as_there_are_stages_are_accepted(load: Load) -> None:
    names = [f"dev{number}" for number in range(MOST_STAGES - 3)]
    assert len(load(HEAD + promoting(*names), dict.fromkeys(names, "region: us-east-1\n")).environments) == 47


def test_pipelines_are_where_botocore_has_both_services() -> None:
    regions = boto3.Session().get_available_regions
    assert set(PIPELINE_REGIONS) == set(regions("codepipeline")) & set(regions("codestar-connections"))


def test_a_regions_partition_is_botocores() -> None:
    session = boto3.Session()
    wrong = {
        region
        for name in ("aws", "aws-cn", "aws-us-gov")
        for region in session.get_available_regions("ec2", name)
        if partition(region) != name
    }
    assert wrong == set()


def test_the_message_names_file_line_field_value_reason_and_fix(problems: Problems) -> None:
    message = str(problems(HEAD + promoting("dev", "stagin"))["environments[1].name"])
    assert re.fullmatch(
        r".*/pipeline\.yaml:6: environments\[1\]\.name = 'stagin'\n"
        r"    there is no such environment\n"
        r"    fix: did you mean staging\? There are dev, staging, prod; each is a file there",
        message,
    )
