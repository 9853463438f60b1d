"""`mistral7b logs`: the container's log, as people read it."""

import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.text import Text

from mistral7b.endpoint import caller
from mistral7b.endpoint.errors import AccessDeniedError, EndpointError
from mistral7b.environment import load_environment
from mistral7b.errors import NO_ACCESS, UserError
from mistral7b.operate.logs import LogLine, LogReader
from mistral7b_cli.aws import announce, clients, explained
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress, say, write_json

_EVERY_S = 2.0
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_STYLES = {"ERROR": "red", "WARN": "yellow"}


def logs(
    name: EnvironmentName,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is logged next, until Ctrl-C.")
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From when on: 90s, 15m, 2h, 1d ago, or 2026-03-01T09:30 (local time).")
    ] = "1h",
    errors: Annotated[bool, typer.Option("--errors", help="Show only errors and refused requests.")] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Show the log of the container on all instances: local time, instance, level and message of each line.

    Refused requests (validation errors, overload) are counted at the end, by reason; with --follow they are shown as
    they come. --json prints each line as an object on a line of its own.
    """
    start = _start(since, caller.clock()[0])
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    endpoint, shown, refused = env.resolved_endpoint_name, 0, Counter[str]()
    with explained(env.region):
        session = announce(endpoint, env.region, env.account, file)
        reader = LogReader(clients(session, env.region)("logs"), endpoint, start)
        try:
            while True:
                for line in reader.read():
                    if errors and not line.is_error:
                        continue
                    shown += 1
                    if as_json:
                        write_json(asdict(line) | {"time": line.time.isoformat()}, indent=None)
                    elif line.refusal and not follow:
                        refused[line.refusal] += 1
                    else:
                        say(_text(line))
                if not follow:
                    break
                time.sleep(_EVERY_S)
        except AccessDeniedError as error:
            told = f"access denied: {error}\nfix: allow the caller logs:FilterLogEvents on it"
            raise UserError(told, NO_ACCESS) from error
        except EndpointError as error:
            if error.error_type != "ResourceNotFoundException":
                raise
            told = f"{endpoint} is not deployed in {env.region}, or nothing was logged yet: it has no log group"
            raise UserError(f"{told}\nfix: cdk deploy '{name}/*', or see mistral7b status {name}", NO_ACCESS) from error
    for reason, count in refused.most_common():
        say(Text.assemble((f"refused {count:>6} x  ", "yellow"), reason))
    if not shown:
        say(f"no {'errors were' if errors else 'line was'} logged since {_local(start)}; try --since 1d", on=progress)


def _start(since: str, now: datetime) -> datetime:
    ago = re.fullmatch(r"(\d{1,6})([smhd])", since)
    with suppress(ValueError, OverflowError):  # no time, or one before or after all time
        start = (
            now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else datetime.fromisoformat(since).astimezone(UTC)
        )
        if 0 <= start.timestamp() <= now.timestamp():
            return start
    reason = "it has to be an age, or a time in the past"
    raise UserError(f"--since {since}: {reason}\nfix: write 90s, 15m, 2h, 1d or 2026-03-01T09:30")


def _text(line: LogLine) -> Text:
    instance = f"…{line.instance[-5:]}"
    return Text.assemble(
        (f"{_local(line.time)} {instance} ", "dim"), (f"{line.level:5} ", _STYLES.get(line.level, "")), line.message
    )


def _local(time: datetime) -> str:
    return f"{time.astimezone():%m-%d %H:%M:%S}"
