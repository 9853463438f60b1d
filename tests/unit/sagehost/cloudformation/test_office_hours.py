"""An environment at office hours, on a clock that the test sets: a day, a weekend, and updates while it is stopped."""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from mistral7b.environment import Environment
from mistral7b.errors import UserError
from mistral7b.operate import hours
from sagehost.clock import CLOCK
from tests.unit.sagehost.cloudformation.conftest import Account
from tests.unit.sagehost.cloudformation.test_environment_changes import CALLER, STACK, template

ENDPOINT = "mistral-7b-instruct-moving"
HOURS = {"office_hours": {"time_zone": "Europe/Berlin", "weekdays": "08:00-19:00"}}
FILE: Mapping[str, Any] = {**HOURS, "tags": {"team": "search"}}
ROLE_OF = "OfficeHours"


def berlin(text: str) -> datetime:
    """A time of March 2026, whose second day is a Monday."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=ZoneInfo("Europe/Berlin"))


class Site:
    """A deployed environment."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.sagemaker = account.client("sagemaker")
        self.env = Environment.model_validate({"name": "moving", "region": account.region, **FILE})
        CLOCK.set(berlin("02T12:00"))
        trust = '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:AssumeRole"}]}'
        account.client("iam").create_role(RoleName=CALLER, AssumeRolePolicyDocument=trust)
        account.deploy(STACK, **template(account, FILE))

    def status(self) -> str | None:
        """The endpoint's, once nothing is being done to it; None if there is none."""
        while True:
            try:
                found = self.sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"]
            except ClientError:
                return None
            if found not in ("Creating", "Updating"):
                return str(found)
            time.sleep(0.01)

    def at(self, text: str) -> str | None:
        CLOCK.set(berlin(text))
        return self.status()

    def update(self, **values: Any) -> str:
        return self.account.update(STACK, **template(self.account, {**FILE, **values}))

    def failures(self) -> list[dict[str, str]]:
        """What is in the dead-letter queue, which is emptied."""
        sqs = self.account.client("sqs")
        [url] = sqs.list_queues()["QueueUrls"]
        messages = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10)
        return [
            {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
            for message in messages.get("Messages", [])
        ]

    def start(self) -> None:
        found = hours.find(self.account.client, self.env)
        assert found is not None
        hours.start(self.account.client, self.account.client, found)
        assert self.status() == "InService"


@pytest.fixture
def site(account: Account) -> Iterator[Site]:
    made = Site(account)
    yield made
    scheduler = account.client("scheduler")  # the clock is that of every account in this process
    for group in scheduler.list_schedule_groups()["ScheduleGroups"]:
        if group["Name"] != "default":
            scheduler.delete_schedule_group(Name=group["Name"])


def test_it_runs_on_weekdays_between_its_hours_and_has_the_same_configuration_and_tags_again(site: Site) -> None:
    before = site.sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    tags = site.sagemaker.list_tags(ResourceArn=before["EndpointArn"])["Tags"]
    assert {"Key": "team", "Value": "search"} in tags
    week = ["02T18:59", "02T19:00", "03T07:59", "03T08:00", "03T19:00", "04T08:00", "04T19:00", "05T08:00", "05T19:00"]
    week += ["06T08:00", "06T18:59", "06T19:00", "07T12:00", "08T23:59", "09T07:59", "09T08:00"]
    runs = [text for text in week if site.at(text) is not None]
    assert runs == ["02T18:59", "03T08:00", "04T08:00", "05T08:00", "06T08:00", "06T18:59", "09T08:00"]
    after = site.sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    assert {key: after[key] for key in ("EndpointArn", "EndpointConfigName", "EndpointStatus")} == {
        key: before[key] for key in ("EndpointArn", "EndpointConfigName", "EndpointStatus")
    }
    again = site.sagemaker.list_tags(ResourceArn=after["EndpointArn"])["Tags"]
    assert sorted(map(str, again)) == sorted(map(str, tags))
    assert site.failures() == []


def test_hours_are_those_of_the_time_zone_in_summer_too(site: Site) -> None:
    # A year before, as going back calls nothing: clocks go forward on Sunday, 30 March.
    runs = []
    for text in ("28T18:00+01:00", "28T19:00+01:00", "31T07:59+02:00", "31T08:00+02:00"):
        CLOCK.set(datetime.fromisoformat(f"2025-03-{text}"))
        runs.append(site.status() is not None)
    assert runs == [True, False, False, True]


def test_an_update_of_a_stopped_endpoint_fails_and_so_does_its_roll_back(site: Site) -> None:
    site.at("02T19:00")
    assert hours.asleep(site.account.client, site.env)
    assert site.update(tgi={"MAX_CONCURRENT_REQUESTS": 4}) == "UPDATE_ROLLBACK_FAILED"
    assert "Could not find endpoint" in site.account.reason(STACK, "UPDATE_FAILED")

    with pytest.raises(UserError, match=r"continue-update-rollback --stack-name \S+ --resources-to-skip Endpoint\w+"):
        site.start()

    endpoint = next(name for name, status, _ in site.account.events(STACK) if status == "UPDATE_FAILED")
    site.account.cfn.continue_update_rollback(StackName=STACK, ResourcesToSkip=[endpoint])
    assert site.account.status(STACK) == "UPDATE_ROLLBACK_COMPLETE"
    site.start()
    assert site.update(tgi={"MAX_CONCURRENT_REQUESTS": 4}) == "UPDATE_COMPLETE"


def test_an_endpoint_that_is_started_first_is_updated_and_its_schedules_follow(site: Site) -> None:
    site.at("02T19:00")
    site.start()
    assert site.update(tgi={"MAX_CONCURRENT_REQUESTS": 4}) == "UPDATE_COMPLETE"
    config = site.sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"]
    assert site.at("03T19:00") is None  # after a refused creation at 8:00, as it was there
    assert site.at("04T08:00") == "InService"
    assert site.sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"] == config


def test_what_does_not_change_the_endpoint_can_be_updated_while_it_is_stopped(site: Site) -> None:
    site.at("02T19:00")
    assert site.update(removal={"log_retention_days": 7, "captured_data": "destroy"}) == "UPDATE_COMPLETE"


def test_a_stopped_environment_can_be_removed(site: Site) -> None:
    site.at("02T19:00")
    assert site.account.delete(STACK) == "DELETE_COMPLETE"
    assert site.account.client("scheduler").list_schedules()["Schedules"] == []


def test_what_cannot_be_done_is_tried_for_an_hour_and_then_told(site: Site) -> None:
    site.sagemaker.delete_endpoint(EndpointName=ENDPOINT)
    site.at("02T19:30")
    assert site.failures() == []
    site.at("02T20:01")
    [failure] = site.failures()
    assert (failure["ERROR_CODE"], failure["RETRY_ATTEMPTS"]) == ("ValidationException", "5")
    assert failure["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
    assert "Could not find endpoint" in failure["ERROR_MESSAGE"]
    assert failure["TARGET_ARN"].endswith(":deleteEndpoint")


@pytest.mark.parametrize("action", ["sagemaker:CreateEndpoint", "sagemaker:AddTags"])
def test_a_schedule_does_only_what_its_role_may(site: Site, action: str) -> None:
    site.at("02T19:00")
    iam = site.account.client("iam")
    role = next(r["RoleName"] for r in iam.list_roles()["Roles"] if ROLE_OF in r["RoleName"])
    denied = f'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": "{action}", "Resource": "*"}}]}}'
    iam.put_role_policy(RoleName=role, PolicyName="Deny", PolicyDocument=denied)
    assert site.at("03T10:00") is None
    [failure] = site.failures()
    assert failure["ERROR_CODE"] == "AccessDenied"
    assert action in failure["ERROR_MESSAGE"]
