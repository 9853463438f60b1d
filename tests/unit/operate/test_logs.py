"""The container's log as people read it: lines of TGI 1.1.0, and all events of all streams, once each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.container.rendering import log_line
from mistral7b.endpoint.errors import EndpointError
from mistral7b.operate.logs import LATE_MS, LogReader, parse
from mistral7b.tgi import LauncherSettings
from mistral7b.tgi.request import GenerateParameters, GenerateRequest
from mistral7b.tgi.validation import validate
from sagehost import moto_app
from tests.unit.fresh_accounts import fresh_account
from tests.unit.operate.conftest import REGION

ENDPOINT, GROUP = "mistral", "/aws/sagemaker/Endpoints/mistral"
INFER = "compat_generate:generate:generate:generate_stream: text_generation_router::infer"
NOW = datetime.now(UTC)
SPAN = (
    'generate{parameters=GenerateParameters { best_of: None, stop: ["a: b"], details: false } '
    'total_time="986.532642ms" validation_time="681.374µs" queue_time="188.125µs" inference_time="985.66325ms" '
    'time_per_token="49.283162ms" seed="None"}'
)


class Log:
    """A log group of the embedded AWS."""

    def __init__(self) -> None:
        self.client = moto_app.client("logs", fresh_account(), REGION)
        self.client.create_log_group(logGroupName=GROUP)
        self._streams: set[str] = set()

    def put(self, message: str, ago: timedelta = timedelta(0), stream: str = "AllTraffic/i-1") -> None:
        named = {"logGroupName": GROUP, "logStreamName": stream}
        if stream not in self._streams:
            self.client.create_log_stream(**named)
            self._streams.add(stream)
        time = int((NOW - ago).timestamp() * 1000)
        self.client.put_log_events(**named, logEvents=[{"timestamp": time, "message": message}])

    def reader(self, since: timedelta = timedelta(hours=1)) -> LogReader:
        return LogReader(self.client, ENDPOINT, NOW - since)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        (
            "#033[2m2024-04-18T22:43:58.111453Z#033[0m #033[32m INFO#033[0m #033[1mshard-manager#033[0m: "
            "#033[2mtext_generation_launcher#033[0m#033[2m:#033[0m Waiting for shard to be ready... "
            "#033[2m#033[3mrank#033[0m#033[2m=#033[0m0#033[0m",
            "INFO",
            "Waiting for shard to be ready... rank=0",
        ),
        (
            "\x1b[2m2024-04-18T22:45:31.006827Z\x1b[0m \x1b[33m WARN\x1b[0m \x1b[2mtext_generation_router\x1b[0m"
            "\x1b[2m:\x1b[0m \x1b[2mrouter/src/main.rs\x1b[0m\x1b[2m:\x1b[0m\x1b[2m334:\x1b[0m Invalid hostname",
            "WARN",
            "Invalid hostname",
        ),
        (
            f"2023-09-06T13:47:01.7Z  INFO {SPAN}: text_generation_router::server: router/src/server.rs:289: Success",
            "INFO",
            "Success, 987ms in all, 188µs queued, 49.3ms a token",
        ),
        (
            '{"timestamp":"2025-02-21T01:15:43.569760Z","level":"INFO","message":"Success",'
            '"target":"text_generation_router::server","span":{"total_time":"1.5s","name":"generate"}}',
            "INFO",
            "Success, 1.5s in all",
        ),
        (
            '{"timestamp":"2023-10-01T00:00:00Z","level":"ERROR","fields":{"message":"Shard 0 failed to start"},'
            '"target":"text_generation_launcher"}',
            "ERROR",
            "Shard 0 failed to start",
        ),
        ("Error: ShardCannotStart", "ERROR", "Error: ShardCannotStart"),
        ("HF_MODEL_ID must be set", "ERROR", "HF_MODEL_ID must be set"),
        (
            "torch.cuda.OutOfMemoryError: CUDA out of memory.",
            "ERROR",
            "torch.cuda.OutOfMemoryError: CUDA out of memory.",
        ),
        ("You are using a model of type mistral", "", "You are using a model of type mistral"),
        ('{"not": "of TGI"}', "", '{"not": "of TGI"}'),
        ("{broken", "", "{broken"),
        ("\x1b]0;title\x07text\r", "", "\ufffd]0;title\ufffdtext\ufffd"),
    ],
)
def test_line_has_level_and_message_without_colours_and_control_characters(line: str, level: str, message: str) -> None:
    assert parse(line) == (level, message)


def test_refusals_have_one_reason_for_all_requests_refused_so(log: Log) -> None:
    for given in (9000, 10000):
        log.put(log_line("ERROR", f"`inputs` must have less than 8191 tokens. Given: {given}", INFER))
    log.put(log_line("ERROR", "no permits available", INFER))
    log.put(log_line("ERROR", "Request failed during generation: Server error: `x` is not defined", INFER))
    lines = list(log.reader().read())
    assert [line.refusal for line in lines] == [
        "`inputs` must have less than 8191 tokens.",
        "`inputs` must have less than 8191 tokens.",
        "Model is overloaded: MAX_CONCURRENT_REQUESTS are in flight",
        None,
    ]
    assert all(line.is_error for line in lines)


@pytest.mark.parametrize(
    "wrong",
    [
        {"best_of": 2},
        {"temperature": 0.0},
        {"repetition_penalty": 0.0},
        {"top_p": 1.0},
        {"typical_p": 0.0},
        {"top_k": 0},
        {"max_new_tokens": 0},
        {"stop": ["a"] * 9},
        {"seed": 1, "best_of": 2, "do_sample": True},
        {"top_n_tokens": 9},
        {"truncate": 0},
        {"max_new_tokens": 9000},
    ],
)
def test_every_validation_error_is_a_refusal(log: Log, wrong: dict[str, Any]) -> None:
    request = GenerateRequest(inputs="Hi", parameters=GenerateParameters(**wrong))
    with pytest.raises(Exception, match="Input validation error: ") as refused:
        validate(request, LauncherSettings())
    log.put(log_line("ERROR", str(refused.value).removeprefix("Input validation error: "), INFER))
    [line] = log.reader().read()
    assert line.refusal


def test_traceback_has_the_level_of_the_line_before_on_the_same_instance(log: Log) -> None:
    log.put(log_line("ERROR", "Shard complete standard error output:"), timedelta(seconds=3))
    log.put(log_line("INFO", "Connected"), timedelta(seconds=2), "AllTraffic/i-2")
    log.put('  File "server.py", line 1', timedelta(seconds=1))
    assert [(line.instance, line.level) for line in log.reader().read()] == [
        ("i-1", "ERROR"),
        ("i-2", "INFO"),
        ("i-1", "ERROR"),
    ]


def test_streams_are_read_together_by_time_and_over_pages(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    for age in range(9, 0, -1):
        log.put(str(10 - age), timedelta(seconds=age), f"AllTraffic/i-{age % 2}")
    pages = log.client.get_paginator("filter_log_events")
    monkeypatch.setattr(log.client, "get_paginator", lambda _: _OfTwo(pages))
    assert [line.message for line in log.reader().read()] == [str(number) for number in range(1, 10)]


class _OfTwo:
    """A paginator whose pages have two events."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages

    def paginate(self, **given: Any) -> Any:
        return self._pages.paginate(**given, limit=2)


def test_only_events_since_the_time_are_read(log: Log) -> None:
    log.put("old", timedelta(hours=2))
    log.put("new")
    assert [line.message for line in log.reader().read()] == ["new"]


def test_later_readings_have_new_and_late_events_once(log: Log) -> None:
    reader, late = log.reader(), timedelta(milliseconds=LATE_MS / 2)
    log.put("first")
    assert [line.message for line in reader.read()] == ["first"]
    log.put("late", late, "AllTraffic/i-2")
    log.put("at the same millisecond")
    assert [line.message for line in reader.read()] == ["late", "at the same millisecond"]
    assert list(reader.read()) == []


def test_missing_log_group_is_an_error_with_the_services_code() -> None:
    client = moto_app.client("logs", fresh_account(), REGION)
    with pytest.raises(EndpointError) as missing:
        list(LogReader(client, ENDPOINT, NOW).read())
    assert missing.value.error_type == "ResourceNotFoundException"
    assert isinstance(missing.value.__cause__, ClientError)
