"""moto's services in this process."""

import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError
from moto import backends
from moto.core import responses
from moto.sqs.responses import SQSResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from sagehost import moto_app
from sagehost.accounts import access_key_id
from sagehost.time_limit import TookTooLong, at_most
from tests.unit.fresh_accounts import fresh_account


def test_moto_neither_lists_its_services_nor_inspects_one_at_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = moto_app.client("sqs", fresh_account(), "us-east-1")
    queues.list_queues()
    names, listed = vars(responses)["method_names_from_class"], Mock()
    monkeypatch.setattr(backends, "list_of_moto_modules", listed)
    before = names.cache_info()
    queues.list_queues()
    listed.assert_not_called()
    assert names.cache_info().misses == before.misses
    assert names.cache_info().hits > before.hits


def answer(service: str, body: bytes, **headers: str) -> tuple[int, str]:
    """Status and body of an answer to a request of the query protocol, or with other headers of another."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    sent["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access_key_id(fresh_account())}/1/us-east-1/{service}/aws4_request, "
    )
    environ = EnvironBuilder(method="POST", headers=list(sent.items()), input_stream=io.BytesIO(body)).get_environ()
    chunks, status, _ = run_wsgi_app(moto_app.application(), environ, buffered=True)
    return int(status.split()[0]), b"".join(chunks).decode()


def test_a_compressed_request_is_read() -> None:
    body = gzip.compress(b"Action=ListMetrics&Version=2010-08-01")
    assert answer("monitoring", body, Content_Encoding="gzip")[0] == 200


def test_a_compressed_request_that_explodes_is_refused() -> None:
    status, text = answer("monitoring", gzip.compress(bytes(17_000_000)), Content_Encoding="gzip")
    assert status == 400
    assert "a request of more than 16000000 bytes when decompressed" in text


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    json_headers = {"Content_Type": "application/x-amz-json-1.1", "X_Amz_Target": "SageMaker.CreateModel"}
    status, text = answer("sagemaker", b'{"ModelName":' + b"[" * 9000 + b"]" * 9000 + b"}", **json_headers)
    assert status == 400
    assert "SerializationException" in text


def test_a_request_that_takes_too_long_is_refused_and_the_next_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = moto_app.client("sqs", fresh_account(), "us-east-1")
    monkeypatch.setattr(moto_app, "REQUEST_S", 0.1)
    with monkeypatch.context() as slow:
        slow.setattr(SQSResponse, "list_queues", lambda _: list(endless()))
        with pytest.raises(ClientError, match=r"LimitExceededException.* works on one request for at most 0\.1 s"):
            queues.list_queues()
    assert queues.list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def endless() -> Iterator[None]:
    while True:
        try:
            yield from ()
        except Exception:  # noqa: BLE001, S112 - as services do
            continue


def test_the_limit_of_the_outermost_block_counts() -> None:
    def nested() -> None:
        with at_most(0.1), at_most(1000):
            list(endless())

    with pytest.raises(TookTooLong):
        nested()


def test_a_block_that_keeps_its_limit_is_not_ended_later() -> None:
    for _ in range(3):
        with at_most(0.001):
            pass
    sum(range(1_000_000))


def test_a_thread_that_has_been_limited_can_be_traced() -> None:
    program = """
import sys
from sagehost.time_limit import at_most
with at_most(5):
    pass
sys.settrace(lambda *_: None)
for _ in range(1000):
    (lambda: None)()
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == 0
