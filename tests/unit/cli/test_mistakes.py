"""One cause ends every command with the same words and the same exit code, and under --json with one JSON object."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mistral7b.errors import BROKEN_PIPE, FAILED, NO_ACCESS, WRONG_INPUT
from tests.unit.cli.conftest import Run

ROOT = Path(__file__).parents[3]
CALLS = [("invoke", "dev", "hi"), ("chat", "dev"), ("examples", "dev"), ("smoke", "dev"), ("doctor", "dev")]
OPERATE = [*CALLS, ("protect", "dev"), ("pipeline", "check")]
READ = [(name, "dev") for name in ("settings", "export", "permissions", "plan", "simulate")]
JSON = {"invoke", "examples", "smoke", "doctor", "protect", "pipeline", "settings", "permissions", "plan", "simulate"}
SIGN_IN = 'run aws configure or aws sso login, or set AWS_PROFILE; for the embedded AWS: eval "$(mistral7b local up)"'
PROFILE = (
    "AWS_CONFIG_FILE is /dev/null, as `mistral7b local up` sets it; "
    'to use AWS: eval "$(mistral7b local down)", or a new shell; to use the embedded AWS: unset AWS_PROFILE'
)
CAUSES = {
    "no credentials": (OPERATE, NO_ACCESS, "no AWS credentials: Unable to locate credentials", SIGN_IN),
    "no such profile": (
        OPERATE,
        NO_ACCESS,
        "boto3 cannot use its configuration: The config profile (nobody) could not be found",
        PROFILE,
    ),
    "refused connection": (
        OPERATE,
        NO_ACCESS,
        "no answer from AWS_ENDPOINT_URL http://localhost:1",
        'start the embedded AWS: eval "$(mistral7b local up)"',
    ),
    "another account": (
        [*CALLS, ("pipeline", "check")],
        NO_ACCESS,
        "these are credentials of account 123456789012; FILE says 222222222222",
        'eval "$(mistral7b local up --account 222222222222)"',
    ),
    "not deployed": (CALLS[:-1], NO_ACCESS, "missing is not deployed in us-east-1", "cdk deploy 'missing/*'"),
    "unknown environment": (
        [*CALLS, ("protect", "dev"), *READ],
        WRONG_INPUT,
        "There is no environment 'deb'. Did you mean dev? (dev, missing)",
        None,
    ),
    "wrong folder": (
        [*CALLS, ("protect", "dev"), *READ],
        WRONG_INPUT,
        "no folder environments/ here; run it in the project's folder",
        None,
    ),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Environments and a pipeline, and a folder that is no project."""
    (tmp_path / "files").mkdir()
    for name in ("dev", "missing"):
        (tmp_path / "files" / f"{name}.yaml").write_text("region: us-east-1\n")
    (tmp_path / "files" / "pipeline.yaml").write_text(
        'account: "222222222222"\nregion: us-east-1\nsource: {repository: owner/name}\nenvironments: [{name: dev}]\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mistral7b_cli.aws.endpoint_status", lambda client, name: (None, ""))
    return tmp_path / "files"


def bring_about(cause: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the cause."""
    monkeypatch.setenv("MISTRAL7B_ENVIRONMENTS", str(files))
    match cause:
        case "no credentials":
            monkeypatch.delenv("AWS_ACCESS_KEY_ID")
            monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        case "no such profile":
            monkeypatch.setenv("AWS_PROFILE", "nobody")
        case "refused connection":
            monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
        case "another account":
            with (files / "dev.yaml").open("a") as file:
                file.write('account: "222222222222"\n')
        case "wrong folder":
            monkeypatch.delenv("MISTRAL7B_ENVIRONMENTS")


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize(
    ("cause", "command"),
    [(cause, command) for cause, (commands, *_) in CAUSES.items() for command in commands],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
def test_one_cause_has_the_same_words_and_exit_code_in_every_command(
    cause: str, command: tuple[str, ...], files: Path, run: Run, monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    bring_about(cause, files, monkeypatch)
    _, status, message, fix = CAUSES[cause]
    other = {"unknown environment": "deb", "not deployed": "missing"}.get(cause, "dev")
    arguments = [other if one == "dev" else one for one in command]
    if as_json and command[0] not in JSON:
        pytest.skip("it has no --json")
    result = run(*arguments, *(["--json"] if as_json else []), stdin=b"Hello!\n")
    message = message.replace("FILE", str(files / ("pipeline.yaml" if command[0] == "pipeline" else "dev.yaml")))
    told = f"mistral7b: {message}\n" + (f"fix: {fix}\n" if fix else "")
    assert (result.status, "".join(result.err.partition("mistral7b: ")[1:])) == (status, told)
    if not as_json:
        assert result.out == ""
        return
    error = json.loads(result.out)["error"]
    assert (error["message"], error["fix"], error["exit_code"]) == (message, fix, status)


@pytest.mark.parametrize(
    ("arguments", "message", "fix"),
    [
        (("plna",), "mistral7b has no command plna", "did you mean plan?"),
        (("pipeline", "xyz"), "mistral7b pipeline has no command xyz", "see mistral7b pipeline --help"),
        (("plan",), "mistral7b plan needs ENVIRONMENT or --all", "see mistral7b plan --help"),
        (("plan", "dev", "--jsn"), "mistral7b plan has no option --jsn", "did you mean --json?"),
        (("settings", "dev", "x"), "mistral7b settings takes no argument x", "see mistral7b settings --help"),
        (("simulate", "--rate"), "--rate needs a value", "see mistral7b --help"),
        (("schema", "--pipeline=1"), "--pipeline takes no value", "see mistral7b --help"),
        (("simulate", "--rate", "x"), "--rate x: it has to be a number", "write a number"),
        (
            ("simulate", "--rate", "-1"),
            "--rate -1: a rate is 0 or more requests per second",
            "give a number such as 2.5",
        ),
        (("simulate", "--seed", "-1"), "--seed -1: it has to be 0 or more", "use 0 or more"),
        (("simulate", "--seed", "1.5"), "--seed 1.5: it has to be a whole number", "write a whole number"),
        (
            ("simulate", "--pattern", "brst"),
            "--pattern brst: it is not one of the possible values",
            "did you mean burst? Use one of constant, daily, burst, ramp, climb",
        ),
        (
            ("local", "up", "--port", "99999"),
            "--port 99999: it has to be 65535 or less",
            "use 65535 or less",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_of_usage_is_told_as_every_other_mistake(
    arguments: tuple[str, ...], message: str, fix: str, run: Run
) -> None:
    result = run(*arguments)
    assert (result.status, result.out, result.err) == (2, "", f"mistral7b: {message}\nfix: {fix}\n")
    result = run(*arguments, "--json")
    if arguments[-1] != "--rate":  # whose value --json would be
        assert json.loads(result.out) == {"error": {"message": message, "fix": fix, "exit_code": 2}}


def test_problems_of_a_file_are_a_list_under_json(files: Path, run: Run) -> None:
    (files / "dev.yaml").write_text("region: nowhere\n")
    result = run("settings", "dev", "--json", "--environments", str(files))
    (problem,) = json.loads(result.out)["error"]["problems"]
    assert (result.status, problem["field"], problem["line"], problem["value"]) == (2, "region", 1, "nowhere")


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        ("models > /dev/full", FAILED, "the output: No space left on device"),
        ("models --json > /dev/full", FAILED, "the output: No space left on device"),
        ("--help > /dev/full", FAILED, "the output: No space left on device"),
        ("models >&-", FAILED, "standard output is closed"),
        ("settings dev > /dev/null 2>&-", 0, ""),
        ("settings deb > /dev/null 2> /dev/full", WRONG_INPUT, ""),
        ("invoke dev < /dev/null <&-", WRONG_INPUT, "there is no prompt"),
        ("examples dev --list --language zh", 0, ""),
    ],
    ids=lambda value: value if isinstance(value, str) and "dev" in value else "",
)
def test_a_stream_that_cannot_be_used_ends_with_one_message(
    command: str, status: int, told: str, files: Path, tmp_path: Path
) -> None:
    line = f"{shlex.quote(sys.executable)} -c 'from mistral7b_cli import main; main()' {command}"
    environment = os.environ | {"MISTRAL7B_ENVIRONMENTS": str(files), "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    expected = [f"mistral7b: {told}"] if told else []
    assert (ended.returncode, ended.stderr.splitlines()[:1]) == (status, expected), ended.stderr
    assert ended.stderr.count("\n") == 2 * len(expected)


def test_a_reader_that_ends_is_no_error(files: Path) -> None:
    command = [sys.executable, "-c", "from mistral7b_cli import main; main()", "models"]
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (BROKEN_PIPE, "")
