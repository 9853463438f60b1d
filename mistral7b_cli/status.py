"""`mistral7b status`: what runs, and whether it is what the environment file says."""

import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any

import typer
from botocore.config import Config
from rich.live import Live
from rich.text import Text

from mistral7b.endpoint import caller
from mistral7b.environment import Environment, load_environment
from mistral7b.errors import UserError
from mistral7b.operate.status import read_status
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import out, say, write_json

commands = typer.Typer()
PATIENT = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5})
"""Of clients that only read: throttling is retried."""
_EVERY_S = 5.0
_LABEL = 13
"""Width of the column of labels."""
_FIGURES = {
    "requests": "requests",
    "errors_4xx": "4XX",
    "errors_5xx": "5XX",
    "latency_p50_s": "p50 s",
    "latency_p95_s": "p95 s",
    "most_in_flight": "in flight",
}
"""Columns of the load."""
_EPILOG = """
**Examples**

`mistral7b status dev`

`mistral7b status dev --watch`

`mistral7b status dev --json | jq -r '.differences[].field'`

It takes `sagemaker:DescribeEndpoint`, `DescribeEndpointConfig` and `DescribeModel`,
`application-autoscaling:DescribeScalableTargets`, `DescribeScalingPolicies` and `DescribeScalingActivities`,
`cloudformation:DescribeStacks` and `DescribeStackEvents`, and `cloudwatch:GetMetricData`; what is denied is listed as
not checked.

Exit status: 0 InService and as the file says, 1 edited, failed or updating, 2 wrong arguments or files, 3 not deployed,
no access, or too much denied to tell.
"""


@commands.command(epilog=_EPILOG)
def status(
    name: EnvironmentName,
    watch: Annotated[
        bool, typer.Option("--watch", help="Repeat it until Ctrl-C; where the output is no terminal, at each change.")
    ] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Show what runs: endpoint, instances, scaling, a deployment in progress, load and latency of the last 15 minutes.

    Settings that were edited but not deployed are listed by their names in the environment file. The comparison is of
    model, instance, container variables, scaling, data capture, timeouts and the subnets of an existing VPC;
    `cdk diff` compares the rest.
    """
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    with explained(env.region):
        session = announce(env.resolved_endpoint_name, env.region, env.account, file)
        client = cache(partial(session.client, region_name=env.region, config=PATIENT))
        live = Live(console=out, auto_refresh=False) if watch and out.is_terminal and not as_json else None
        before = None
        with live or nullcontext():
            while document := read_status(client, env):
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
                    raise typer.Exit({True: 0, False: 1, None: 3}[document["ready"]])
                time.sleep(_EVERY_S)
    raise UserError(f"{name} is not deployed in {env.region}\nfix: cdk deploy '{name}/*'", 3)


def _shown(document: dict[str, Any], env: Environment) -> Text:
    busy = document["status"] in ("InService", "Creating", "Updating", "SystemUpdating")
    ready, style = document["ready"], "green" if document["ready"] else "yellow" if busy else "red"
    text = Text.assemble((_headline(document), f"bold {style}"), "  as its file says" if ready else "")
    for label, line in _lines(document, env):
        text.append(f"\n{label:{_LABEL}}", "dim").append(line.rstrip())
    return text


def _line(document: dict[str, Any], env: Environment) -> str:
    told = [line for label, line in _lines(document, env) if label in ("failure", "variant", "stack", "edited")]
    return "; ".join((f"{datetime.now():%H:%M:%S} {_headline(document)}", *told))


def _headline(document: dict[str, Any]) -> str:
    unknown = "sagemaker:DescribeEndpoint" in document["not_checked"]
    return (
        f"{document['endpoint']}: {document['status'] or ('not checked' if unknown else 'there is no such endpoint')}"
    )


def _lines(document: dict[str, Any], env: Environment) -> Iterator[tuple[str, str]]:
    """Each line with its label, which is empty in those that go on."""
    if document["failure_reason"]:
        yield "failure", document["failure_reason"]
    if document["updated"]:
        yield "updated", _local(document["updated"])
        yield "model", f"{document['model'] or 'unknown'} on {document['instance_type'] or 'unknown'}"
    yield from (("variant", f"{one['name']}: {_instances(one)}") for one in document["variants"] or [])
    if pending := document["pending"]:
        yield "deploying", f"{pending['config']}, since {_local(pending['started'])}"
        for one in pending["variants"] or []:
            yield "", f"{one['name']}: {_instances(one)} {' '.join(one['status'] or [])}"
    yield from _scaling(document)
    if stack := document["stack"]:
        yield "stack", f"{stack['name']}: {stack['status']} {stack['reason'] or ''}"
    for one in document["events"] or []:
        yield "", f"{_local(one['time'])} {one['resource']} {one['status']} {one['reason'] or ''}"
    yield from _load(document)
    for one in document["differences"]:
        deployed, file = ("none" if one[key] is None else json.dumps(one[key]) for key in ("deployed", "file"))
        yield "edited", f"{one['field']}: deployed {deployed}, file {file}"
    if document["differences"]:
        yield "fix", f"cdk deploy '{env.name}/*'"
    yield from (("not checked", f"needs {action}") for action in document["not_checked"])
    if not _is_embedded():
        host = "amazonaws.cn" if env.region.startswith("cn-") else "aws.amazon.com"
        page = f"sagemaker/home?region={env.region}#/endpoints/{document['endpoint']}"
        yield "console", f"https://{env.region}.console.{host}/{page}"


def _scaling(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if scaling := document["scaling"]:
        suspended = [what for what, is_so in (scaling["suspended"] or {}).items() if is_so]
        yield "scaling", ", ".join((f"{scaling['min']} to {scaling['max']} instances", *suspended))
    for policy in document["policies"] or []:
        yield "", f"{policy['name']}: target {policy['target'] or 'none'}"
    for one in document["activities"] or []:
        yield "", f"{_local(one['time'])} {one['status']}: {one['what']}"


def _load(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if document["load"]:
        yield "load", "   ".join(("from ", *_FIGURES.values()))
    for one in document["load"]:
        figures = [(one[name], ".2f" if name.endswith("_s") else ".0f", len(head)) for name, head in _FIGURES.items()]
        cells = ("-" if value is None else f"{value:{form}}" for value, form, _ in figures)
        row = (cell.rjust(width) for cell, (*_, width) in zip(cells, figures, strict=True))
        yield "", "   ".join((_local(one["from"])[11:16], *row))
    if document["status"] and not document["load"] and "cloudwatch:GetMetricData" not in document["not_checked"]:
        embedded = " (the embedded AWS has no metrics)" if _is_embedded() else ""
        yield "load", f"no requests in the last 15 minutes{embedded}"


def _is_embedded() -> bool:
    return caller.is_embedded(caller.endpoint_url())


def _instances(variant: dict[str, Any]) -> str:
    return f"{variant['current']} of {variant['desired']} instances"


def _local(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S}"
