"""`mistral7b status` and `mistral7b logs`: what they print, and their exit codes."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.container.rendering import log_line
from mistral7b.operate.costs import price_of
from mistral7b_cli import logs, status
from sagehost import moto_app
from tests.unit.cli.conftest import Result, run_main
from tests.unit.fresh_accounts import fresh_account
from tests.unit.operate.conftest import REGION

GROUP = "/aws/sagemaker/Endpoints/mistral-7b-instruct-dev"
INFER = "compat_generate:generate:generate:generate_stream: text_generation_router::infer"
Call = Callable[..., Result]
DOCUMENT: dict[str, Any] = {
    "endpoint": "mistral-7b-instruct-dev",
    "status": "InService",
    "failure_reason": None,
    "updated": "2026-03-01T10:00:00+00:00",
    "instance_type": "ml.g5.2xlarge",
    "variants": [{"name": "AllTraffic", "current": 1, "desired": 2}],
    "pending": None,
    "scaling": {"min": 1, "max": 2, "suspended": {"DynamicScalingInSuspended": True}},
    "policies": [{"name": "in flight", "target": 32.0}],
    "activities": [{"time": "2026-03-01T10:00:00+00:00", "status": "Successful", "what": "Setting count to 2."}],
    "stack": {"name": "mistral-7b-dev-endpoint", "status": "CREATE_COMPLETE", "reason": ""},
    "events": None,
    "model": "instruct 2.0.0",
    "differences": [],
    "load": [],
    "not_checked": [],
    "ready": True,
}
FIGURES = {"errors_4xx": 1.0, "errors_5xx": None, "latency_p50_s": 1.234, "latency_p95_s": 2.0, "most_in_flight": 3.0}


class Session:
    """A session of the account, in this process."""

    def __init__(self) -> None:
        self.account = fresh_account()

    def client(self, service: str, **_: Any) -> Any:
        return moto_app.client(service, self.account, REGION)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    session = Session()
    for module in (status, logs):
        monkeypatch.setattr(module, "announce", lambda *_: session)
    return session


@pytest.fixture
def call(session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs `mistral7b COMMAND dev …` in this process."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(status, "current_price", lambda _, *of: price_of(*of))  # test_costs has the price list
    (tmp_path / "dev.yaml").write_text(f"region: {REGION}\n")

    def _call(command: str, *options: str) -> Result:
        return run_main(monkeypatch, capsys, command, "dev", *options, "--environments", str(tmp_path))

    return _call


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has these statuses read, one after the other, and then an interruption."""

    def _deployed(*documents: dict[str, Any]) -> None:
        answers = iter([DOCUMENT | changes for changes in documents])
        monkeypatch.setattr(status, "read_status", lambda *_: next(answers))
        monkeypatch.setattr("mistral7b_cli.status.time.sleep", _sleeper(len(documents) - 1))

    return _deployed


def _sleeper(times: int, between: Callable[[], None] = lambda: None) -> Callable[[float], None]:
    left = iter(range(times))

    def sleep(_: float) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        between()

    return sleep


def test_status_shows_endpoint_scaling_load_and_console(call: Call, deployed: Callable[..., None]) -> None:
    deployed({"load": [{"from": "2026-03-01T10:00:00+00:00", "requests": 120.0, **FIGURES}]})
    result = call("status")
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines[0] == "mistral-7b-instruct-dev: InService  as its file says"
    assert "variant        AllTraffic: 1 of 2 instances" in lines
    assert "scaling        1 to 2 instances; suspended: DynamicScalingInSuspended" in lines
    assert "policy         in flight: target 32" in lines
    assert any(line.endswith("Successful: Setting count to 2.") for line in lines)
    assert "cost           1 to 2 × ml.g5.2xlarge: 1.515 to 3.03 USD an hour, 1,105.95 to 2,211.90 a month" in lines
    assert "cost           in all: 1.539 to 3.054 USD an hour, 1,123.15 to 2,229.10 a month" in lines
    assert "prices         prices of us-east-1, November 2024, on demand, without free tier" in lines
    [load] = [line for line in lines if line.startswith("load")]
    assert load.endswith(" 120 requests, 1 4XX, none 5XX, p50 1.23 s, p95 2 s, 3 in flight")
    assert lines[-1].endswith("/sagemaker/home?region=us-east-1#/endpoints/mistral-7b-instruct-dev")


def test_status_lists_what_is_edited_but_not_deployed(call: Call, deployed: Callable[..., None]) -> None:
    edited = {"field": "tgi.MAX_CONCURRENT_REQUESTS", "deployed": None, "file": "4"}
    deployed({"differences": [edited], "ready": False})
    result = call("status")
    assert result.status == 1
    assert "edited         tgi.MAX_CONCURRENT_REQUESTS: deployed none, file 4\nfix            cdk deploy" in result.out
    assert "no requests in the last 15 minutes" in result.out


def test_status_shows_a_failure_and_a_deployment_in_progress(call: Call, deployed: Callable[..., None]) -> None:
    time = {"time": "2026-03-01T10:00:00+00:00"}
    event = time | {"resource": "Endpoint", "status": "UPDATE_FAILED", "reason": "no capacity"}
    pending = {"config": "second", "started": time["time"], "variant": "Creating"}
    stack = {"name": "s", "status": "UPDATE_ROLLBACK_IN_PROGRESS", "reason": ""}
    deployed({"status": "Failed", "failure_reason": "ping", "pending": pending, "events": [event], "stack": stack})
    said = call("status").out
    assert "failure        ping" in said
    assert re.search("deploying +second since .*: Creating", said)
    assert "Endpoint UPDATE_FAILED no capacity" in said


def test_status_that_nobody_can_tell_ends_with_3(call: Call, deployed: Callable[..., None]) -> None:
    deployed({"status": None, "ready": None, "not_checked": ["sagemaker:DescribeEndpoint"]})
    result = call("status")
    assert result.status == 3
    assert "mistral-7b-instruct-dev: not checked" in result.out
    assert "not checked    needs sagemaker:DescribeEndpoint" in result.out


def test_status_prints_json(call: Call, deployed: Callable[..., None]) -> None:
    deployed({"ready": False})
    result = call("status", "--json")
    found = json.loads(result.out)
    cost = found.pop("cost")
    assert (result.status, found) == (1, DOCUMENT | {"ready": False})
    assert cost["items"][0]["usd_per_hour"] == [1.515, 3.03]


def test_status_of_what_is_not_deployed_ends_with_3(call: Call) -> None:
    result = call("status")
    assert (result.status, result.out) == (3, "")
    assert result.err == "mistral7b: dev is not deployed in us-east-1\nfix: cdk deploy 'dev/*'\n"


def test_watch_prints_a_line_at_each_change_until_it_is_interrupted(call: Call, deployed: Callable[..., None]) -> None:
    deployed({}, {"load": [{"from": "2026-03-01T10:00:00+00:00", "requests": 1.0, **FIGURES}]}, {"status": "Updating"})
    result = call("status", "--watch")
    assert result.status == 130
    assert [line.split()[2].rstrip(";") for line in result.out.splitlines()] == ["InService", "Updating"]


class Log:
    """The log group of dev."""

    def __init__(self, session: Session) -> None:
        self._client = session.client("logs")
        self._client.create_log_group(logGroupName=GROUP)
        self._client.create_log_stream(logGroupName=GROUP, logStreamName="AllTraffic/i-0123456789")

    def put(self, message: str) -> None:
        event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": message}
        self._client.put_log_events(logGroupName=GROUP, logStreamName="AllTraffic/i-0123456789", logEvents=[event])


@pytest.fixture
def log(session: Session) -> Log:
    log = Log(session)
    log.put(log_line("INFO", "Connected"))
    for _ in range(2):
        log.put(log_line("ERROR", "no permits available", INFER))
    log.put(log_line("ERROR", "Shard 0 failed to start"))
    return log


def test_logs_show_lines_and_count_refusals(log: Log, call: Call) -> None:
    result = call("logs")
    assert result.status == 0
    first, second, last = result.out.splitlines()
    assert first.endswith("…56789 INFO  Connected")
    assert second.endswith("…56789 ERROR Shard 0 failed to start")
    assert last == "refused      2 x  Model is overloaded: MAX_CONCURRENT_REQUESTS are in flight"


def test_errors_leaves_out_the_rest(log: Log, call: Call) -> None:
    assert "Connected" not in call("logs", "--errors").out
    assert call("logs", "--errors").out.count("Shard 0") == 1


def test_logs_print_an_object_a_line_as_json(log: Log, call: Call) -> None:
    lines = [json.loads(line) for line in call("logs", "--json").out.splitlines()]
    assert [line["message"] for line in lines].count("no permits available") == 2
    assert lines[0].keys() == {"time", "instance", "level", "message", "refusal"}


def test_follow_shows_what_comes_once_until_it_is_interrupted(
    log: Log, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mistral7b_cli.logs.time.sleep", _sleeper(2, lambda: log.put(log_line("INFO", "next"))))
    result = call("logs", "--follow")
    assert result.status == 130
    assert result.out.count("Connected") == 1
    assert result.out.count("next") == 2
    assert result.out.count("no permits available") == 2


def test_quiet_log_is_said_on_standard_error(log: Log, call: Call) -> None:
    result = call("logs", "--since", "0s")
    assert (result.status, result.out) == (0, "")
    assert "no line was logged since" in result.err


def test_missing_log_group_says_what_to_do(call: Call) -> None:
    result = call("logs")
    assert result.status == 3
    assert "is not deployed in us-east-1, or nothing was logged yet: it has no log group\nfix: cdk deploy" in result.err


def test_denied_log_is_said_in_one_line_and_a_fix(
    call: Call, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def paginator(*_: Any) -> Any:
        error = {"Code": "AccessDeniedException", "Message": "not authorized to perform logs:FilterLogEvents"}
        raise ClientError({"Error": error}, "FilterLogEvents")

    monkeypatch.setattr(session.client("logs"), "_make_api_call", paginator)
    result = call("logs")
    assert result.status == 3
    assert "access denied: not authorized to perform logs:FilterLogEvents\nfix: allow" in result.err


@pytest.mark.parametrize("since", ["90s", "15m", "2h", "1d", "2026-03-01", "2026-03-01T09:30", "2026-03-01T09:30Z"])
def test_since_takes_an_age_or_a_time(log: Log, call: Call, since: str) -> None:
    assert call("logs", "--since", since).status == 0


@pytest.mark.parametrize(
    "since", ["", "15", "5x", "-5m", "9999999d", "999999d", "tomorrow", "2999-01-01", "0001-01-01"]
)
def test_unreadable_since_is_refused_with_forms_that_work(call: Call, since: str) -> None:
    result = call("logs", f"--since={since}")
    assert result.status == 2
    assert f"--since {since}: " in result.err
    assert "fix: write 90s, 15m, 2h, 1d or 2026-03-01T09:30" in result.err
