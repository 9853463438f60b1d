"""A scenario runs in an account of this process's embedded AWS; whatever happens, what it makes can be removed."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mistral7b.conformance import scenario
from mistral7b.conformance.recording import Entry, Recorder
from mistral7b.conformance.redaction import OWN_ACCOUNT, Redactor
from mistral7b.operate.calls import Client
from sagehost import moto_app
from sagehost.accounts import access_key_id
from tests.unit.fresh_accounts import fresh_account

TOPIC = {"do": "sns.create_topic", "with": {"Name": "$prefix"}, "save": {"topic": "TopicArn"}}
DELETION = {"do": "sns.delete_topic", "with": {"TopicArn": "$topic"}}
READ = {"do": "sns.get_topic_attributes", "with": {"TopicArn": "$topic"}}


class Account:
    """An account with a recorder."""

    def __init__(self) -> None:
        self.number, self.entries, self.told = fresh_account(), list[Entry](), list[str]()
        session = boto3.Session(access_key_id(self.number), "local", region_name="us-east-1")
        session.events.register("before-send", moto_app._send)
        self.recorder = Recorder(self.entries.append, Redactor(self.number))
        self.recorder.attach(session.events)
        self.values: scenario.Values = {"prefix": "verify-1a2b3c", "region": "us-east-1", "minute_s": 1}
        self.client: Client = lambda service: session.client(service, endpoint_url="http://localhost")

    def run(self, *steps: dict[str, Any], client: Client | None = None) -> bool:
        return scenario.run(client or self.client, list(steps), self.recorder, self.values, self.told.append)

    def topics(self) -> int:
        return len(self.client("sns").list_topics()["Topics"])


@pytest.fixture
def account() -> Account:
    return Account()


def failing(account: Account, service: str, error: BaseException) -> Client:
    """Clients of the account; the service's calls raise the error where it would call."""

    def client(name: str) -> Any:
        made = account.client(name)
        if name == service:
            made.meta.events.register("before-send", lambda **_: (_ for _ in ()).throw(error))
        return made

    return client


def test_requests_and_answers_are_recorded_in_their_order_without_the_account(account: Account) -> None:
    assert account.run(TOPIC, READ, DELETION)
    assert [(one["step"], one["operation"], one["status"]) for one in account.entries] == [
        ("1/3 sns.create_topic", "sns.CreateTopic", 200),
        ("2/3 sns.get_topic_attributes", "sns.GetTopicAttributes", 200),
        ("3/3 sns.delete_topic", "sns.DeleteTopic", 200),
    ]
    assert account.entries[0]["answer"]["TopicArn"] == f"arn:aws:sns:us-east-1:{OWN_ACCOUNT}:verify-1a2b3c"
    assert account.number not in str(account.entries)


def test_repeated_calls_are_one_entry_with_the_times_of_the_changes(account: Account) -> None:
    wait = {**READ, "with": {"TopicArn": "$topic-none"}, "until": ["Attributes", "never", 0.3]}
    account.run(TOPIC, wait)
    [_, entry] = account.entries
    assert [value for _, value in entry["changes"]] == ["NotFound"]
    assert entry["seconds"] > 0.1


def test_an_unexpected_answer_is_told(account: Account) -> None:
    account.run({**TOPIC, "refused": "InvalidParameter"})
    assert account.told == ["1/1 sns.create_topic: done, where InvalidParameter was expected"]


def test_a_step_that_is_not_allowed_is_not_recorded_and_the_others_are(account: Account) -> None:
    denial = {"do": "iam.get_role", "with": {"RoleName": "a"}}

    def deny(parsed: Any, http_response: Any, **_: Any) -> None:
        parsed["ResponseMetadata"]["HTTPStatusCode"] = http_response.status_code = 403
        parsed["Error"] = {"Code": "AccessDenied", "Message": "User: arn:aws:iam::1:user/a is not authorized"}

    def client(name: str) -> Any:
        made = account.client(name)
        if name == "iam":
            made.meta.events.register_first("after-call", deny)
        return made

    assert account.run(denial, TOPIC, client=client)
    assert account.entries[0]["not_recorded"] == "needs iam:GetRole"
    assert account.entries[1]["operation"] == "sns.CreateTopic"


def test_a_step_without_what_an_earlier_one_makes_is_not_recorded(account: Account) -> None:
    account.run(READ)
    assert account.entries[0]["not_recorded"] == "an earlier step made no 'topic'"


def test_after_ctrl_c_only_removals_are_run(account: Account) -> None:
    stop = {"do": "iam.get_role", "with": {"RoleName": "a"}}
    assert not account.run(TOPIC, stop, READ, DELETION, client=failing(account, "iam", KeyboardInterrupt()))
    assert [one["operation"] for one in account.entries] == ["sns.CreateTopic", "sns.DeleteTopic"]
    assert account.topics() == 0


def test_what_has_the_prefix_is_removed_and_nothing_else(account: Account) -> None:
    account.run(TOPIC)
    account.client("sns").create_topic(Name="verify-another")
    assert not any("verify-1a2b3c" in one for one in scenario.remove(account.client, account.values, print, 5))
    assert account.topics() == 1


def test_what_cannot_be_removed_is_named_with_the_command(account: Account) -> None:
    account.run(TOPIC)
    refusal = ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, "DeleteTopic")

    def client(name: str) -> Any:
        made = account.client(name)
        if name == "sns":
            made.meta.events.register("before-call.sns.DeleteTopic", lambda **_: (_ for _ in ()).throw(refusal))
        return made

    arn = f"arn:aws:sns:us-east-1:{account.number}:verify-1a2b3c"
    assert scenario.remove(client, account.values, print, 5) == [
        f"{arn}: AuthorizationError\naws sns delete-topic --topic-arn {arn} --region us-east-1"
    ]


@pytest.mark.parametrize("tier", ["free", "full"])
def test_every_step_names_an_operation_and_values_that_are_made_before_it(tier: str) -> None:
    known = {"prefix", "region", "account", "partition", "image", "image_elsewhere", "artifact", "location", "step"}
    known |= {"template", "template_changed", "endpoint"} if tier == "full" else set()
    session = boto3.Session(region_name="us-east-1")
    for step in scenario.load(tier):
        service, _, operation = step["do"].partition(".")
        assert operation in session.client(service).meta.method_to_api_mapping
        scenario.fill_in(step.get("with", {}), dict.fromkeys(known, "x"))
        known |= step.get("save", {}).keys()
