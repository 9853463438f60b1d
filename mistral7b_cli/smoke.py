"""`mistral7b smoke`: whether the deployed endpoint serves as its environment file says."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from mistral7b.endpoint import caller
from mistral7b.endpoint.client import NO_RETRIES
from mistral7b.environment import Environment, load_environment
from mistral7b.errors import FAILED, UserError
from mistral7b.operate.smoke.alarms import stay_quiet
from mistral7b.operate.smoke.answers import CheckResult
from mistral7b.operate.smoke.checks import NoPromptFitsError, SmokePlan, smoke_plan
from mistral7b.operate.smoke.deployed import DEPLOYED, compare
from mistral7b.operate.smoke.runner import TOTAL_S, run_checks
from mistral7b_cli.aws import at_speed, clients, connected, explained
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import say, write_json
from mistral7b_cli.waiting import Waiting

_SHORTEST_S, _LONGEST_S = 0.1, 55.0
_PATIENCE_S = 0.5


def smoke(
    name: EnvironmentName,
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", help=f"Time of one request; all together have {_LONGEST_S:g} s."),
    ] = 10.0,
    quiet: Annotated[
        int,
        typer.Option(metavar="MINUTES", min=0, max=1440, help="Then wait for so many minutes without an alarm."),
    ] = 0,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Send real prompts to the endpoint of an environment, and tell whether it serves as its environment file says.

    --json prints one document: passed, seconds, the speed of their clock (1 on AWS), overloaded, not_told, and of each
    check its name, passed, seconds, expected and got.
    """
    if not _SHORTEST_S <= timeout <= _LONGEST_S:
        raise UserError(
            f"--timeout {timeout:g}: it is out of range\nfix: give {_SHORTEST_S:g} to {_LONGEST_S:g} seconds"
        )
    env = load_environment(folder, name)
    try:
        plan = smoke_plan(env)
    except NoPromptFitsError as error:
        raise UserError(f"{folder / f'{name}.yaml'}: tgi.{error}") from None
    if quiet and not env.alarm_names:
        raise UserError(f"--quiet {quiet}: {name} has no alarms\nfix: add alarms: {{}} to {folder / f'{name}.yaml'}")
    speed = caller.clock()[1]
    results = _run(env, folder, plan, timeout, as_json)
    if quiet and all(result.passed for result in results):
        with (
            explained(env.region, what="the alarms cannot be read"),
            Waiting(f"alarms quiet for {quiet} min", _PATIENCE_S),
        ):
            results.append(stay_quiet(clients(caller.open_session(), env.region), env, quiet))
        if not as_json:
            _print(results[-1], len(results[-1].name))
    failed = [result.name for result in results if not result.passed]
    seconds, overloaded = sum(one.seconds for one in results), any(one.overloaded for one in results)
    if as_json:
        shown = ("name", "passed", "seconds", "expected", "got")
        checks = [{key: getattr(one, key) for key in shown} | {"seconds": round(one.seconds, 3)} for one in results]
        where = {"environment": env.name, "endpoint": env.resolved_endpoint_name, "region": env.region}
        found = {"passed": not failed, "seconds": round(seconds, 3), "speed": speed, "overloaded": overloaded}
        write_json({**where, **found, "checks": checks, "not_told": plan.not_told})
    else:
        _print_not_checked(plan)
        say(f"{len(results) - len(failed)} of {len(results)} checks passed in {seconds:.1f} s{at_speed(speed)}")
    if failed:
        told = f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}"
        if overloaded:
            told += ". The endpoint is overloaded, which says nothing of its settings\nfix: run it again later"
        elif any(one.isupper() or one in DEPLOYED for one in failed):  # a limit, or what the stack says
            told += f"\nfix: if the file has changed since, cdk deploy '{name}/*'; during an update, wait for its end"
        raise UserError(told, FAILED, documented=as_json)


def _run(env: Environment, folder: Path, plan: SmokePlan, timeout_s: float, quiet: bool) -> list[CheckResult]:
    """Makes the checks; shows each as it is made, unless `quiet`. Those that could not be made come to `not_told`."""
    results, endpoint, count = list[CheckResult](), env.resolved_endpoint_name, len(plan.checks)
    width = max(map(len, (*DEPLOYED, *(check.name for check in plan.checks))))
    limits = {"answer_timeout_s": timeout_s, "stream_timeout_s": timeout_s, "retry": NO_RETRIES}
    with connected(env, folder, **limits) as client:
        checks = run_checks(client, plan.checks, request_timeout_s=timeout_s, total_s=TOTAL_S)
        while len(results) < count:
            with Waiting(f"asking {endpoint}: {len(results) + 1} of {count}", _PATIENCE_S):
                results.append(replace(one := next(checks), seconds=one.seconds * client.speed))
            if not quiet:
                _print(results[-1], width)
        with Waiting(f"comparing {endpoint} with its stack", _PATIENCE_S):
            compared, unchecked = compare(env, caller.open_session())
    plan.not_told.update(unchecked)
    for result in () if quiet else compared:
        _print(result, width)
    return results + compared


def _print(result: CheckResult, width: int) -> None:
    word, style = ("ok  ", "green") if result.passed else ("FAIL", "bold red")
    got = result.got.partition(" {")[0] if result.passed else result.got  # without the body of a due refusal
    say(Text.assemble((word, style), f" {result.seconds:6.2f} s  {result.name:{width}}  {got}"))
    if not result.passed:
        say(f"{'expected':>{15 + width}}  {result.expected}")


def _print_not_checked(plan: SmokePlan) -> None:
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for variable, reason in plan.not_told.items():
        reasons[reason].append(variable)
    for reason, variables in reasons.items():
        say(f"not checked: {', '.join(variables)} ({reason})", "dim")
