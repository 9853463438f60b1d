"""The embedded AWS answers as every recording in conformance/ says; one that is added becomes a test."""

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from mistral7b.conformance.recording import Entry
from mistral7b.conformance.replay import Difference, replay
from mistral7b_cli.verify import _read
from sagehost.accounts import access_key_id
from sagehost.lifecycle import State, running_server
from tests.unit.fresh_accounts import fresh_account

RECORDINGS = sorted((Path(__file__).parents[3] / "conformance").glob("*.jsonl"))


@pytest.fixture(scope="module")
def server() -> Iterator[State]:
    with running_server() as state:
        yield state


def replayed(server: State, region: str, entries: list[Entry]) -> list[Difference]:
    """What differs where the requests are sent to a fresh account of the embedded AWS."""
    account = fresh_account()
    session = boto3.Session(access_key_id(account), server.secret, region_name=region)
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    client = cache(partial(session.client, endpoint_url=server.url, config=config))
    return [one for one in replay(entries, session.events, client, account) if one.kind != "message"]


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_the_embedded_aws_answers_as_recorded(server: State, file: Path) -> None:
    head, entries = _read(file)
    assert replayed(server, head["region"], entries) == []


def test_a_call_that_the_embedded_aws_answers_otherwise_is_named(server: State) -> None:
    refused = {
        "status": 400,
        "error": "NoSuchThing",
        "message": "The role with name none cannot be found.",
        "answer": {},
    }
    entry = {"step": "1", "operation": "iam.GetRole", "request": {"RoleName": "none"}, **refused}
    found = replayed(server, "us-east-1", [entry])
    assert [(one.kind, one.replayed) for one in found] == [("status", 404), ("error", "NoSuchEntity")]


def test_a_call_that_botocore_does_not_know_is_named(server: State) -> None:
    answered = {"request": {}, "status": 200, "error": "", "message": "", "answer": {}}
    entries = [{"step": one, "operation": one, **answered} for one in ("iam.NoSuchCall", "no-such-service.Call")]
    found = replayed(server, "us-east-1", entries)
    assert {one.replayed for one in found} == {"botocore does not know the operation"}
    assert len(found) == 2


def test_there_is_a_recording() -> None:
    assert RECORDINGS
