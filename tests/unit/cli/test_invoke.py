"""`mistral7b invoke`: what is sent, what is printed, and every way to fail in one line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mistral7b.endpoint.client import EndpointClient
from mistral7b.errors import BROKEN_PIPE, UserError
from mistral7b.tgi import Generation, StreamParser, parse_generation
from mistral7b.tgi.tokenizer import count_tokens
from mistral7b_cli.inputs import read_prompt
from tests.unit.cli.conftest import target

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Result, Run

COMMAND = [sys.executable, "-c", "from mistral7b_cli import main; main()"]
NOTICE = "This is the embedded AWS"


def told_by(result: Result, status: int) -> str:
    """The failure and its fix, after the line that names the endpoint, and nothing on standard output."""
    assert (result.status, result.out) == (status, "")
    first, *rest = [line for line in result.err.splitlines() if not line.endswith(", embedded AWS")]
    assert first.startswith("mistral7b: ")
    assert [line for line in rest if not line.startswith("fix: ")] == []
    return "\n".join([first, *rest])


def test_the_answer_is_printed_and_the_endpoint_named_on_standard_error(run: Run) -> None:
    result = run("invoke", "dev", "Hello!")
    assert (result.status, result.err) == (0, target("dev"))
    assert result.out.startswith(NOTICE)
    assert result.out.count("\n") == 1


def test_the_prompt_is_put_into_the_instruct_format(run: Run) -> None:
    document = json.loads(run("invoke", "dev", "Hello!", "--json").out)
    assert document["prompt_tokens"] == count_tokens("[INST] Hello! [/INST]")
    assert f"Your prompt of {document['prompt_tokens']} tokens" in document["generated_text"]


@pytest.mark.parametrize("arguments", [("base", "Hello!"), ("dev", "Hello!", "--no-format")])
def test_the_base_model_and_no_format_get_the_prompt_as_it_is(run: Run, arguments: tuple[str, ...]) -> None:
    document = json.loads(run("invoke", *arguments, "--json").out)
    assert document["prompt_tokens"] == count_tokens("Hello!")


def test_json_is_one_document_with_counts_and_reason(run: Run) -> None:
    document = json.loads(run("invoke", "dev", "Hello!", "--json", "-p", "max_new_tokens=4").out)
    assert document.pop("seconds") >= 0
    assert document == {
        "environment": "dev",
        "endpoint": "mistral-7b-instruct-dev",
        "prompt_tokens": 10,
        "generated_text": " This is the embedded",
        "finish_reason": "length",
        "generated_tokens": 4,
        "speed": 1.0,
    }


def test_seconds_are_those_of_a_clock_that_runs_faster(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mistral7b.endpoint.caller.clock", lambda: (datetime.now(UTC), 1e6))
    document = json.loads(run("invoke", "dev", "Hello!", "--json").out)
    assert document["speed"] == 1e6
    assert document["seconds"] > 100  # a million times what it took


def test_whose_seconds_they_are_is_said_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mistral7b.endpoint.caller.clock", lambda: (datetime.now(UTC), 20.0))
    assert run("invoke", "dev", "Hello!").err == target("dev").replace("embedded AWS", "embedded AWS at speed 20")


def test_the_endpoints_clock_is_read_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([(datetime.now(UTC), 20.0)])
    monkeypatch.setattr("mistral7b.endpoint.caller.clock", lambda: next(times))
    assert json.loads(run("invoke", "dev", "Hello!", "--json").out)["speed"] == 20


def test_a_stream_prints_the_same_text_as_the_whole_answer(run: Run) -> None:
    assert run("invoke", "dev", "Hello!", "--stream").out == run("invoke", "dev", "Hello!").out


def test_a_stream_as_json_is_a_line_for_each_token_and_then_the_document(run: Run) -> None:
    lines = run("invoke", "dev", "Hello!", "--stream", "--json", "-p", "max_new_tokens=3").out.splitlines()
    *tokens, document = [json.loads(line) for line in lines]
    assert "".join(token["token"]["text"] for token in tokens) == document["generated_text"] == " This is the"
    assert (document["finish_reason"], document["generated_tokens"]) == ("length", 3)


def test_details_are_printed_on_request(run: Run) -> None:
    document = json.loads(run("invoke", "dev", "Hi", "--json", "-p", "decoder_input_details=true").out)
    assert len(document["details"]["prefill"]) == document["prompt_tokens"]


def test_missing_prompt_at_a_terminal_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    with pytest.raises(UserError, match="there is no prompt") as caught:
        read_prompt(None)
    assert caught.value.status == 2


@pytest.mark.parametrize("argument", [(), ("-",)])
@pytest.mark.parametrize("stdin", [b"Hello!", b"Hello!\n", b"Hello!\r\n", b"\xef\xbb\xbfHello!\n"])
def test_the_prompt_comes_from_standard_input(run: Run, argument: tuple[str, ...], stdin: bytes) -> None:
    document = json.loads(run("invoke", "dev", *argument, "--json", stdin=stdin).out)
    assert document["prompt_tokens"] == count_tokens("[INST] Hello! [/INST]")


def test_parameters_reach_the_container(run: Run) -> None:
    result = run("invoke", "dev", "Hello!", "-p", "stop=embedded", "-p", "stop=never said", "--json")
    document = json.loads(result.out)
    assert (document["generated_text"], document["finish_reason"]) == (" This is the embedded", "stop_sequence")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("max_new_token=3", "there is no parameter 'max_new_token'\nfix: did you mean max_new_tokens?"),
        ("xyz=3", "there is no parameter 'xyz'\nfix: there are best_of, temperature"),
        ("max_new_tokens", "write NAME=VALUE"),
        ("max_new_tokens=many", 'the container refuses it: invalid type: string "many", expect'),
        ("max_new_tokens=-1", "fix: give a whole number from 0"),
        ("max_new_tokens=1.5", "fix: give a whole number from 0"),
        ("temperature=hot", "fix: give a number"),
        ("temperature=NaN", "fix: give a number"),
        ("do_sample=yes", "fix: give true or false"),
        ("temperature=0", "`temperature` must be strictly positive"),
        ("top_p=1", "`top_p` must be > 0.0 and < 1.0"),
        ("best_of=2", "you must use sampling when `best_of` is > 1"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch, given: str, told: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    assert told in told_by(run("invoke", "dev", "Hello!", "--parameter", given), status=2)


def test_a_parameter_that_is_given_twice_is_refused(run: Run) -> None:
    result = run("invoke", "dev", "Hello!", "-p", "seed=1", "-p", "seed=2")
    assert "seed is given twice" in told_by(result, status=2)


def test_a_prompt_that_is_too_long_is_refused_with_its_count(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    prompt = "word " * 9000
    count = count_tokens(f"[INST] {prompt} [/INST]")
    told = told_by(run("invoke", "dev", "-", stdin=prompt.encode()), status=2)
    assert f"{count} tokens, {count - 8191} more than the 8191 that MAX_INPUT_LENGTH of dev allows" in told


def test_a_prompt_that_would_never_be_scheduled_is_refused_with_the_remedy(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = " ".join(["word"] * 8175)
    count = count_tokens(f"[INST] {prompt} [/INST]")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    told = told_by(run("invoke", "dev", "-", stdin=prompt.encode()), status=2)
    assert f"the prompt is too long: {count} tokens, {count - 8176} more than dev can serve" in told
    assert "Set MAX_BATCH_PREFILL_TOKENS to 8192, or MAX_INPUT_LENGTH to 8176\nfix: shorten it" in told


def test_prompt_and_answer_that_are_too_long_together_are_refused_with_what_is_left(run: Run) -> None:
    told = told_by(run("invoke", "small", "Hello!", "-p", "max_new_tokens=191"), status=2)
    assert "10 tokens and max_new_tokens=191, 1 more than the 200 that MAX_TOTAL_TOKENS of small allows" in told
    assert run("invoke", "small", "Hello!", "-p", "max_new_tokens=190").status == 0


def test_without_max_new_tokens_the_answer_takes_what_the_limit_leaves(run: Run) -> None:
    prompt = "word " * 120
    document = json.loads(run("invoke", "small", prompt, "--json").out)
    assert document["prompt_tokens"] + document["generated_tokens"] == 200
    assert document["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (("dev", ""), b"", "the prompt is empty"),
        (("dev", "  "), b"", "the prompt is empty"),
        (("dev",), b"", "the prompt is empty"),
        (("dev",), b"\xff", "standard input is not UTF-8: byte 0 is 0xff"),
        (("dev", "\udcff"), b"", "the prompt is not UTF-8"),
        (("dev", "a </s> b"), b"", "the prompt has </s> in it, which the model reads as a control token"),
        (("dev", "Hello!", "--raw", "-"), b"{}", "--raw sends a whole request"),
        (("dev", "--raw", "no/such/file"), b"", "no/such/file: No such file or directory"),
    ],
)
def test_wrong_arguments_print_one_message(run: Run, arguments: tuple[str, ...], stdin: bytes, told: str) -> None:
    assert told in told_by(run("invoke", *arguments, stdin=stdin), status=2)


def test_a_raw_request_is_sent_as_it_is_and_its_answer_printed_as_it_came(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text('{"inputs": "Once", "parameters": {"max_new_tokens": 2}}')
    result = run("invoke", "dev", "--raw", str(file))
    assert parse_generation(result.out.encode()) == Generation(generated_text=" This is")


def test_a_raw_stream_is_printed_as_it_came(run: Run) -> None:
    body = b'{"inputs": "Once", "parameters": {"max_new_tokens": 2}, "stream": true}'
    result = run("invoke", "dev", "--raw", "-", "--stream", stdin=body)
    events = list(StreamParser().feed(result.out.encode()))
    assert [event.token.text for event in events] == [" This", " is"]


def test_containers_error_to_a_raw_request_is_printed(run: Run) -> None:
    told = told_by(run("invoke", "dev", "--raw", "-", stdin=b'{"inputs": ""}'), status=1)
    assert "refused the request (422): Input validation error: `inputs` cannot be empty" in told


def test_a_raw_chat_request_is_explained_beside_the_containers_error(run: Run) -> None:
    body = b'{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}'
    result = run("invoke", "dev", "--raw", "-", stdin=body)
    assert (result.status, "missing field `inputs`" in result.err) == (1, True)
    assert "`messages`: it is a chat request, which TGI 1.1.0 does not know" in result.err
    assert "`max_tokens`: TGI 1.1.0 reads `parameters.max_new_tokens`" in result.err


def test_parameters_of_later_versions_are_said_to_be_ignored(run: Run) -> None:
    body = b'{"inputs": "Once", "parameters": {"max_new_tokens": 2, "grammar": {}}}'
    result = run("invoke", "dev", "--raw", "-", stdin=body)
    assert (result.status, "`grammar`: TGI 1.1.0 ignores it" in result.err) == (0, True)


@pytest.mark.parametrize("mode", [(), ("--stream",)])
def test_overloaded_endpoint_is_reported_with_its_limit_and_the_fix(run: Run, mode: tuple[str, ...]) -> None:
    told = told_by(run("invoke", "busy", "Hello!", *mode), status=1)
    assert "mistral-7b-instruct-busy is overloaded: MAX_CONCURRENT_REQUESTS (7)" in told
    assert "auto_scaling" in told


def test_timeout_of_the_endpoint_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mistral7b_cli.aws.EndpointClient", partial(EndpointClient, answer_timeout_s=0.3))
    told = told_by(run("invoke", "stuck", "Hello!"), status=1)
    assert "did not answer in time" in told
    assert "--stream" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--show-code", "curl", "--stream"), "--show-code curl cannot show a stream"),
        (("--show-code", "--raw", "-"), "--raw sends a whole request"),
    ],
)
def test_code_that_cannot_be_shown_is_refused(run: Run, arguments: tuple[str, ...], told: str) -> None:
    assert told in told_by(run("invoke", "dev", *arguments), status=2)


def test_the_base_models_code_sends_the_prompt_as_it_is(run: Run) -> None:
    result = run("invoke", "base", "--show-code")
    assert (result.status, result.err) == (0, "")
    assert "'inputs': 'Once upon a time'" in result.out


def test_code_for_china_calls_the_endpoint_in_china(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    network = "network: {s3_prefix_list_id: pl-0123456789abcdef0}\n"
    (tmp_path / "dev.yaml").write_text(f"region: cn-north-1\n{network}")
    shown = run("invoke", "dev", "--show-code", "curl", "--environments", str(tmp_path)).out
    assert " https://runtime.sagemaker.cn-north-1.amazonaws.com.cn/endpoints/" in shown


@pytest.mark.usefixtures("machine")
def test_a_reader_that_goes_away_is_no_error() -> None:
    command = subprocess.Popen(
        [*COMMAND, "invoke", "slow", "Hello!", "--stream"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdout is not None
    assert command.stdout.read(4) == b"This"
    command.stdout.close()
    assert command.stderr is not None
    assert command.stderr.read() == target("slow").encode()
    assert command.wait(timeout=20) == BROKEN_PIPE


@pytest.mark.usefixtures("machine")
def test_an_interrupt_ends_the_command_quietly() -> None:
    command = subprocess.Popen(
        [*COMMAND, "invoke", "halting", "Hello!", "--stream"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdout is not None
    assert command.stdout.read(4) == b"This"
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=20)
    assert (command.returncode, errors) == (130, target("halting").encode())
