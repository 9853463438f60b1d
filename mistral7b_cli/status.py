"""`mistral7b status`: what runs, and whether it is what the environment file says."""

import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from mistral7b.endpoint import caller
from mistral7b.environment import Environment, load_environment
from mistral7b.errors import FAILED, NO_ACCESS, UserError
from mistral7b.operate.costs import estimate
from mistral7b.operate.price_list import current_price
from mistral7b.operate.status import as_deployed, read_status
from mistral7b_cli.aws import announce, clients, explained, not_deployed
from mistral7b_cli.cost import cost_lines
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import out, say, write_json

_EVERY_S, _METRICS = 5.0, "cloudwatch:GetMetricData"
_LINES: list[list[str]] = json.loads((files(__package__) / "status.json").read_text(encoding="utf-8"))["lines"]


def status(
    name: EnvironmentName,
    watch: Annotated[
        bool, typer.Option("--watch", help="Repeat it until Ctrl-C; where the output is no terminal, at each change.")
    ] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Show what runs: endpoint, instances, scaling, a deployment in progress, load and latency of the last 15 minutes.

    What its instances, network, keys and alarms cost follows, at the AWS Price List's or built-in prices.

    Settings that were edited but not deployed are listed by their names in the environment file. The comparison is of
    model, instance, container variables, scaling, data capture, timeouts and the subnets of an existing VPC;
    `cdk diff` compares the rest.
    """
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    with explained(env.region):
        session = announce(env.resolved_endpoint_name, env.region, env.account, file)
        client = clients(session, env.region)
        price = cache(partial(current_price, session, env.region))
        live = Live(console=out, auto_refresh=False) if watch and out.is_terminal and not as_json else None
        before = None
        with live or nullcontext():
            while document := read_status(client, env):
                deployed = as_deployed(env, document)
                document["cost"] = estimate(deployed, price(deployed.instance_type))
                changed = {**document, "load": None} != before  # the load changes with the time of day
                before = {**document, "load": None}
                if live:
                    live.update(
                        _shown(document, env).append(f"\nevery {_EVERY_S:g} s; Ctrl-C ends", "dim"), refresh=True
                    )
                elif as_json and changed:
                    write_json(document, indent=None if watch else 2)
                elif changed:
                    say(_line(document, env) if watch else _shown(document, env))
                if not watch:
                    raise typer.Exit({True: 0, False: FAILED, None: NO_ACCESS}[document["ready"]])
                time.sleep(_EVERY_S)
    raise UserError(not_deployed(name, env.region), NO_ACCESS)


def _shown(document: dict[str, Any], env: Environment) -> Text:
    busy = document["status"] in ("InService", "Creating", "Updating", "SystemUpdating")
    ready, style = document["ready"], "green" if document["ready"] else "yellow" if busy else "red"
    text = Text.assemble((_headline(document), f"bold {style}"), "  as its file says" if ready else "")
    for label, line in _lines(document, env):
        text.append(f"\n{label:15}", "dim").append(line.rstrip())
    return text


def _headline(document: dict[str, Any]) -> str:
    unknown = "no such endpoint" if _absent(document) else "not checked"
    return f"{document['endpoint']}: {document['status'] or unknown}"


def _absent(document: dict[str, Any]) -> bool:
    return document["status"] is None and "sagemaker:DescribeEndpoint" not in document["not_checked"]


def _line(document: dict[str, Any], env: Environment) -> str:
    told = [line.rstrip() for label, line in _lines(document, env) if label in ("failure", "variant", "stack")]
    edited = f"{len(document['differences'])} fields edited"
    return "; ".join((f"{datetime.now():%H:%M:%S} {_headline(document)}", *told, edited))


def _lines(document: dict[str, Any], env: Environment) -> Iterator[tuple[str, str]]:
    embedded = caller.is_embedded(caller.endpoint_url())
    for label, part, words in _LINES:
        found = document[part]
        for one in found if isinstance(found, list) else [found] if found else []:
            values = {key: _words(value) for key, value in one.items()} if isinstance(one, dict) else {}
            yield label, words.format(_words(one), **values)
        if part == "load" and not found and document["status"] and _METRICS not in document["not_checked"]:
            yield label, f"no requests in the last 15 minutes{' (at --speed instant it has none)' if embedded else ''}"
        if part == "load":
            yield from (("cost", line) for line in cost_lines(document["cost"]))
            yield "prices", document["cost"].prices
    if _absent(document) and document["stack"]:
        yield "fix", f"mistral7b start {env.name}"
    elif document["differences"]:
        yield "fix", f"cdk deploy '{env.name}/*'"
    if not embedded:
        host = "amazonaws.cn" if env.region.startswith("cn-") else "aws.amazon.com"
        page = f"sagemaker/home?region={env.region}#/endpoints/{document['endpoint']}"
        yield "console", f"https://{env.region}.console.{host}/{page}"


def _words(value: Any) -> str:
    """A value of the document: a number in three digits or whole, and a time of today without the date."""
    if isinstance(value, dict):
        return ", ".join(name for name, is_so in value.items() if is_so) or "none"
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    if isinstance(value, str) and value.endswith("+00:00"):
        time = datetime.fromisoformat(value).astimezone()
        return f"{time:%H:%M:%S}" if time.date() == datetime.now().date() else f"{time:%Y-%m-%d %H:%M:%S}"
    return "none" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
