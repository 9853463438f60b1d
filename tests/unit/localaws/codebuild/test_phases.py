"""The phases of a build, their commands and how they end."""

from __future__ import annotations

import signal
import subprocess
import threading
import time

import pytest

from localaws.codebuild import BuildResult, projects, settings, shell
from tests.unit.localaws.codebuild.conftest import REGION, Builder, commands


def statuses(result: BuildResult) -> dict[str, str | None]:
    return {phase.name: phase.status for phase in result.phases}


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip()[:1] in ("", "Z")


def ends(pid: int) -> bool:
    """Whether a process that has been sent a signal ends, which takes the system a moment."""
    deadline = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return gone(pid)


def test_a_build_goes_through_every_phase(builder: Builder) -> None:
    result = builder.build(commands(build=["true"]))
    assert (result.status, result.reason) == ("SUCCEEDED", "")
    assert list(statuses(result)) == [
        "SUBMITTED",
        "QUEUED",
        "PROVISIONING",
        "DOWNLOAD_SOURCE",
        "INSTALL",
        "PRE_BUILD",
        "BUILD",
        "POST_BUILD",
        "UPLOAD_ARTIFACTS",
        "FINALIZING",
        "COMPLETED",
    ]


def test_folder_and_variables_carry_over_from_each_command_to_the_next_phase(builder: Builder) -> None:
    result = builder.build(
        commands(install=["mkdir inner && cd inner", "export A=1", "b=2"], build=['echo "$(basename "$PWD") $A $b"'])
    )
    assert builder.log(result) == ["inner 1 2"]


def test_commands_have_no_input_to_wait_for(builder: Builder) -> None:
    assert builder.printed("cat", "echo after") == ["after"]


def test_what_commands_write_as_errors_is_in_the_log_in_its_place(builder: Builder) -> None:
    assert builder.printed("echo one; echo two >&2; echo three") == ["one", "two", "three"]


def test_a_command_of_several_lines_is_one_command(builder: Builder) -> None:
    assert builder.printed("if true\nthen\n  echo 'a  b'\nfi")[-1] == "a  b"


def test_a_buildspec_may_ask_for_bash(builder: Builder) -> None:
    spec = {
        **commands(build=['a=(x y); [[ ${#a[@]} == 2 ]] && echo "${a[1]}"', "exit 1"], post_build=["echo ${0##*/}"])
    }
    result = builder.build({**spec, "env": {"shell": "bash"}})
    assert builder.log(result) == ["y", "loop.sh"]


def test_each_command_is_told_before_it_runs(builder: Builder) -> None:
    result = builder.build(commands(build=["echo 'it''s' $0"]))
    logs = builder.client("logs")
    events = logs.get_log_events(logGroupName=result.log_group, logStreamName=result.log_stream)["events"]
    assert any(event["message"].endswith("Running command echo 'it''s' $0") for event in events)


def test_the_first_command_that_fails_ends_its_phase(builder: Builder) -> None:
    result = builder.build(commands(build=["echo one", "false", "echo two"]))
    assert builder.log(result) == ["one"]
    assert result.status == "FAILED"
    reason = "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1"
    assert result.reason == reason


def test_post_build_follows_a_build_that_failed_and_is_told_so(builder: Builder) -> None:
    result = builder.build(commands(build=["false"], post_build=["echo $CODEBUILD_BUILD_SUCCEEDING"]))
    assert builder.log(result) == ["0"]
    assert (statuses(result)["POST_BUILD"], result.status) == ("SUCCEEDED", "FAILED")


def test_post_build_is_told_of_a_build_that_succeeded(builder: Builder) -> None:
    result = builder.build(commands(build=["true"], post_build=["echo $CODEBUILD_BUILD_SUCCEEDING"]))
    assert builder.log(result) == ["1"]


@pytest.mark.parametrize("phase", ["install", "pre_build"])
def test_nothing_follows_what_fails_before_the_build(builder: Builder, phase: str) -> None:
    result = builder.build(commands(**{phase: ["false"]}, build=["echo build"], post_build=["echo post"]))
    assert builder.log(result) == []
    assert not {"BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS"} & set(statuses(result))


def test_a_finally_block_runs_after_success_and_failure(builder: Builder) -> None:
    phase = {"commands": ["true"], "finally": ["echo cleaned"]}
    assert builder.log(builder.build(commands(build=phase))) == ["cleaned"]
    failed = builder.build(commands(build={**phase, "commands": ["false"]}))
    assert (builder.log(failed), failed.status) == (["cleaned"], "FAILED")


def test_a_finally_block_that_fails_fails_its_phase(builder: Builder) -> None:
    result = builder.build(commands(build={"commands": ["true"], "finally": ["false"]}))
    assert statuses(result)["BUILD"] == "FAILED"


@pytest.mark.parametrize("command", ["exit 3", "set -e; false", "for in", "kill -9 $$"])
def test_a_command_that_ends_the_shell_fails_its_phase_and_the_next_has_another_shell(
    builder: Builder, command: str
) -> None:
    result = builder.build(commands(build=[command], post_build=["echo post"]))
    assert statuses(result)["BUILD"] == "FAILED"
    assert builder.log(result)[-1] == "post"


def test_a_command_that_ends_the_shell_with_success_fails_nothing(builder: Builder) -> None:
    result = builder.build(commands(build=["exit 0", "echo next"]))
    assert (builder.log(result), result.status) == (["next"], "SUCCEEDED")


def test_what_a_command_leaves_running_ends_with_the_build(builder: Builder) -> None:
    (pid,) = builder.printed("sleep 60 >/dev/null & echo $!")
    assert ends(int(pid))


def test_a_build_that_is_cancelled_ends_at_once_with_all_its_processes(builder: Builder) -> None:
    cancelled = threading.Event()
    project = builder.project(commands(build=['sh -c "echo \\$\\$; exec sleep 60"'], post_build=["echo post"]))
    threading.Timer(0.3, cancelled.set).start()
    began = time.monotonic()
    result = builder.run(project, cancelled=cancelled)
    assert time.monotonic() - began < 30
    assert (result.status, statuses(result)["BUILD"]) == ("STOPPED", "STOPPED")
    (pid,) = builder.log(result)
    assert ends(int(pid))


def test_a_process_that_does_not_end_when_asked_is_killed(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "_PATIENCE_S", 0.3)
    cancelled = threading.Event()
    project = builder.project(commands(build=["sh -c 'trap \"\" TERM; echo $$; sleep 60; sleep 60'"]))
    threading.Timer(0.3, cancelled.set).start()
    (pid,) = builder.log(builder.run(project, cancelled=cancelled))
    assert ends(int(pid))


def test_stop_build_ends_a_build(builder: Builder) -> None:
    codebuild = builder.client("codebuild")
    project = builder.project(commands(build=["sleep 60"]))
    result = builder.run(project, started=lambda build: codebuild.stop_build(id=build))
    assert result.status == "STOPPED"
    (build,) = codebuild.batch_get_builds(ids=[result.build_id])["builds"]
    assert (build["buildStatus"], build["buildComplete"]) == ("STOPPED", True)


def test_a_build_that_takes_too_long_fails(builder: Builder) -> None:
    project = builder.project(commands(build=["sleep 60"], post_build=["echo post"]))
    projects.of(builder.id, REGION)[project]["timeoutInMinutes"] = 0.5 / 60  # the API takes no less than five
    result = builder.run(project)
    assert (result.status, statuses(result)["BUILD"]) == ("FAILED", "TIMED_OUT")
    assert result.reason == "BUILD_TIMED_OUT: Build has timed out."
    assert builder.log(result) == []


def test_builds_of_an_account_run_one_after_the_other(builder: Builder) -> None:
    project = builder.project(commands(build=["test ! -e busy", "touch busy; sleep 0.2; rm busy"]))
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(builder.run(project).status)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["SUCCEEDED"] * 3


def test_a_build_that_waits_for_its_turn_can_be_cancelled(builder: Builder) -> None:
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    with settings.workspace(builder.id).lock:
        result = builder.build(commands(build=["true"]), cancelled=cancelled)
    assert result.status == "STOPPED"
    assert statuses(result)["QUEUED"] == "STOPPED"
    assert "PROVISIONING" not in statuses(result)


def test_a_role_that_does_not_trust_the_service_any_more_fails_the_build(builder: Builder) -> None:
    project = builder.project(commands(build=["true"]))
    builder.delete_role()
    result = builder.run(project)
    assert result.reason.startswith("ACCESS_DENIED: User: codebuild.amazonaws.com is not authorized")


def test_killing_all_ends_the_processes_of_every_build(builder: Builder) -> None:
    project = builder.project(commands(build=["echo $$; sleep 60"]))
    started = threading.Event()
    results = []

    def build() -> None:
        results.append(builder.run(project, started=lambda _: started.set()))

    thread = threading.Thread(target=build)
    thread.start()
    started.wait()
    while thread.is_alive():
        shell.kill_all()
        time.sleep(0.05)
    assert results[0].status == "FAILED"
    assert str(signal.SIGKILL.value) in results[0].reason
    assert not shell._RUNNING
