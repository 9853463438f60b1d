"""The embedded AWS answers as every recording in conformance/ says; one that is added becomes a test."""

from pathlib import Path
from unittest.mock import patch

import boto3
import pytest
from botocore.config import Config

from mistral7b.conformance import replay as module
from mistral7b.conformance.recording import Entry
from mistral7b.conformance.replay import Difference, replay
from mistral7b_cli.verify import _read
from sagehost import moto_app
from sagehost.accounts import access_key_id
from tests.unit.fresh_accounts import fresh_account

RECORDINGS = sorted((Path(__file__).parents[3] / "conformance").glob("*.jsonl"))


def replayed(head: Entry, entries: list[Entry]) -> list[Difference]:
    """What differs where a fresh account of this process's embedded AWS is sent the requests."""
    account = fresh_account()
    session = boto3.Session(access_key_id(account), "local", region_name=head["region"])
    session.events.register("before-send", moto_app._send)
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    clients: dict[str, object] = {}

    def client(service: str) -> object:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url="http://localhost", config=config)
        return clients[service]

    with patch.object(module, "PATIENCE_S", 20.0):
        return [one for one in replay(entries, session.events, client, account) if one.kind != "message"]


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_the_embedded_aws_answers_as_recorded(file: Path) -> None:
    assert replayed(*_read(file)) == []
