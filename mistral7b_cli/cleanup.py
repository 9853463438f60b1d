"""`mistral7b cleanup`: what an environment has left in its account, what that costs, and its deletion."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.environment import Environment, load_environment
from mistral7b.errors import FAILED, NO_ACCESS, UserError
from mistral7b.operate.cleanup import Findings, Leftover, choose, delete, look
from mistral7b.operate.costs import prices
from mistral7b.operate.stacks import find
from mistral7b.project import bootstrap
from mistral7b.promotion.names import PIPELINE_ID
from mistral7b_cli.aws import announce, clients, explained
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import confirmed, progress, say, write_json
from mistral7b_cli.waiting import Waiting

_OPTIONS = {"logs": "--with-logs", "captured data": "--with-captured-data"}


def cleanup(
    name: EnvironmentName,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only look, which is the default.")] = False,
    delete_it: Annotated[bool, typer.Option("--delete", help="Delete what is left, after a question.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --delete: do not ask.")] = False,
    with_logs: Annotated[bool, typer.Option("--with-logs", help="With --delete: log groups, too.")] = False,
    with_captured_data: Annotated[
        bool, typer.Option("--with-captured-data", help="With --delete: buckets with all their objects, too.")
    ] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """List what `cdk destroy` or an aborted deployment has left of an environment, and its cost; delete it on request.

    An environment's is what CloudFormation has recorded or tagged as such; a name alone never counts. CloudFormation
    keeps its record of a deleted stack for 90 days. Keys are scheduled for deletion in 30 days, and never before the
    data that they encrypt; `aws kms cancel-key-deletion` cancels that.

    It takes `cloudformation:ListStacks`, `DescribeStacks`, `DescribeStackEvents` and `ListStackResources`,
    `tag:GetResources`, and `List*` and `Describe*` of each service; with --delete, `Delete*`, too.
    """
    if check and delete_it:
        raise UserError("--check and --delete exclude each other\nfix: give one of them")
    if not delete_it and (yes or with_logs or with_captured_data):
        raise UserError("--yes, --with-logs and --with-captured-data go with --delete\nfix: add --delete")
    if name == PIPELINE_ID:
        fix = 'docs/promotion.md, "Removing the pipeline", lists what stays of it, its cost, and how to delete it'
        raise UserError(f"cleanup takes an environment, not the pipeline\nfix: {fix}")
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    data = [kind for kind, given in (("logs", with_logs), ("captured data", with_captured_data)) if given]
    failed: list[str] | None = None
    with explained(env.region, what="the account could not be called"):
        session = announce(f"environment {name}", env.region, env.account, file, must_know=True)
        client = clients(session, env.region)
        with Waiting("looking into the account"):
            found = look(client, env)
        kept = [one.name for one in find(client("cloudformation"), [bootstrap(Path.cwd()).toolkit or "CDKToolkit"])]
        if delete_it and not found.in_use:
            if chosen := choose(found.left, data):
                _ask(chosen, yes=yes)
            with Waiting("deleting", patience_s=0):
                failed = delete(client, env, data, partial(say, on=progress)) if chosen else []
            found = look(client, env)
    if as_json:
        prices_of = {"usd_month": _total(found), "prices": prices(env.region)[1]}
        document = {"environment": name, "region": env.region, **asdict(found), **prices_of, "bootstrap": kept}
        write_json(document | ({} if failed is None else {"failed": failed}))
    else:
        _show(env, found, kept)
        if failed == [] and found.left:
            say(f"To delete these too, add{_data_options(found)}")
    status, message = _outcome(env, found, failed)
    if status:
        raise UserError(message, status, documented=as_json)


def _ask(chosen: Sequence[Leftover], *, yes: bool) -> None:
    """Shows what is to be deleted, and goes on only if that is wanted."""
    for one in chosen:
        say(f"to delete: {one}{f' with its {one.data}' if one.data else ''}", on=progress)
    if not yes:
        confirmed("Delete what is listed?")


def _total(found: Findings) -> float:
    return sum(one.usd_month or 0 for one in found.left)


def _show(env: Environment, found: Findings, kept: Sequence[str]) -> None:
    for stack in found.in_use:
        say(f"in use: {stack.name} ({stack.status})")
    if found.left:
        say("USD/month  resource", "bold")
        for one in found.left:
            price = "?" if one.usd_month is None else f"{one.usd_month:.2f}"
            say(f"{price:>9}  {one}\n{'':11}{one.why}")
        say(f"{_total(found):9.2f}  in all ({prices(env.region)[1]})")
    for alone in found.left_alone:
        say(f"left alone: the endpoint {alone}, which has this environment's name, but is not known to be its own")
    for unchecked in found.unchecked:
        say(f"not checked: {unchecked}")
    for toolkit in kept:
        say(f"kept: {toolkit}, the bootstrap of the CDK, which other stacks of the account may need")
    if not found.left and not found.in_use and not found.unchecked:
        say(f"Nothing is left of {env.name} in {env.region}.")


def _data_options(found: Findings) -> str:
    return "".join(f" {_OPTIONS[data]}" for data in dict.fromkeys(one.data for one in found.left if one.data))


def _outcome(env: Environment, found: Findings, failed: Sequence[str] | None) -> tuple[int, str]:
    """Exit status, and what is wrong with its fix."""
    again = f"mistral7b cleanup {env.name} --delete"
    if busy := [one for one in found.in_use if one.busy]:
        return FAILED, f"{busy[0].name} is {busy[0].status}\nfix: wait until that has ended, then run the command again"
    if found.in_use:
        return FAILED, f"{env.name} is deployed\nfix: cdk destroy '{env.name}/*', if it is to go"
    if failed:
        return FAILED, "\n".join([*(f"not deleted: {one}" for one in failed), f"fix: see the reasons, then {again}"])
    if found.left and failed is None:
        return FAILED, f"not all of {env.name} is removed: {len(found.left)} left\nfix: {again}{_data_options(found)}"
    return (NO_ACCESS, "not everything could be checked\nfix: allow the actions") if found.unchecked else (0, "")
