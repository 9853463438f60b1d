"""`mistral7b settings`: what an environment deploys, its container's variables, and how two environments differ."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from mistral7b.environment import Environment, load_environment
from mistral7b.operate.costs import estimate
from mistral7b.tgi import LauncherOverrides, LauncherSettings
from mistral7b_cli.cost import cost_lines
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import say, write_json

_UNSET = "(unset)"
_SUMMARY = {"account", "region", "endpoint_name", "model", "model_version", "instance", "auto_scaling"}


def settings(
    name: EnvironmentName,
    compare: Annotated[
        str | None, typer.Option(metavar="ENVIRONMENT", help="Show only what is different there.")
    ] = None,
    launcher: Annotated[
        bool, typer.Option("--all", help="Show the launcher variables, too, that are left at TGI's own default.")
    ] = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Show what an environment deploys, where, and what it costs; and the variables that the container gets.

    AWS is not called. Prices are built in.

    An override is one line under `tgi:` in the environment file, such as `MAX_CONCURRENT_REQUESTS: 4`.

    `mistral7b settings dev --compare prod` shows everything in which two environments differ, not only the container.
    """
    env = load_environment(folder, name)
    if compare is not None:
        return _print_differences(env, load_environment(folder, compare), as_json)
    rows, version = _container_rows(env, launcher), env.version
    summary = {field: value for field, value in _flat(env).items() if field.partition(".")[0] in _SUMMARY}
    cost, runs = estimate(env), {"image": env.image_uri, "weights": env.artifact_uri}
    if as_json:
        model = {"model": version.jumpstart_id, "version": version.version, **runs}
        return write_json({"environment": env.name, **model, "deployed": summary, "cost": cost, "variables": rows})
    more = runs | {
        "account": env.account or "that of the credentials",
        "cost": f"{[*cost_lines(cost)][-1].removeprefix('in all: ')} ({cost.prices})",
    }
    _print_fields(env.name, {field: _yaml(value) for field, value in summary.items()} | more)
    say("")
    cells = [(row["variable"], row["value"] or _UNSET, _source(row)) for row in rows]
    styles = ["bold" if row["overridden"] else "" for row in rows]
    shown = [[Text(cell, style) for cell in line] for line, style in zip(cells, styles, strict=True)]
    say(Table("", ("variable", "value", "source"), shown))
    return None


def _print_fields(title: str, values: dict[str, str]) -> None:
    say(f"{title}\n", "bold")
    for field, value in values.items():
        say(f"{field:<{max(map(len, values))}}  {value}")


def _container_rows(env: Environment, with_unset: bool) -> list[dict[str, Any]]:
    """One row a variable: its value, whose it is, and the default (JumpStart's, else TGI's) if it is overridden."""
    jumpstart, container, overrides = env.jumpstart_environment(), env.container_environment(), env.tgi.to_environment()
    defaults = LauncherSettings.model_validate({}).model_dump(by_alias=True)
    tgi = LauncherOverrides.model_validate(defaults).to_environment()
    names = list(container) + ([variable for variable in defaults if variable not in container] if with_unset else [])
    return [
        {
            "variable": variable,
            "value": container.get(variable, tgi.get(variable)),
            "default": jumpstart.get(variable, tgi.get(variable)),
            "default_of": "JumpStart" if variable in jumpstart else "TGI",
            "overridden": variable in overrides,
            "planned": f"tgi.{variable}" in env.planned,
        }
        for variable in names
    ]


def _source(row: dict[str, Any]) -> str:
    if not row["overridden"]:
        return f"{row['default_of']}'s default"
    whose = "the planner (auto in the environment file)" if row["planned"] else "environment file"
    return f"{whose}, over {row['default_of']}'s {row['default'] or _UNSET}"


def _print_differences(one: Environment, other: Environment, as_json: bool) -> None:
    a, b = _flat(one), _flat(other)
    rows = [(field, a.get(field), b.get(field)) for field in dict.fromkeys([*a, *b]) if a.get(field) != b.get(field)]
    if as_json:
        return write_json([{"field": field, one.name: left, other.name: right} for field, left, right in rows])
    if not rows:
        return say(f"{one.name} and {other.name} do not differ.")
    title = f"{one.name} → {other.name}: {len(rows)} settings differ"
    return _print_fields(title, {field: f"{_yaml(left)} → {_yaml(right)}" for field, left, right in rows})


def _flat(env: Environment) -> dict[str, Any]:
    """Every setting of an environment by its dotted name, with defaults worked out and the container's variables."""
    container, known = env.container_environment(), LauncherOverrides.model_validate({}).model_dump(by_alias=True)
    values = env.model_dump(mode="json", exclude={"name", "tgi", "network"})
    values |= {
        "model_version": env.version.version,
        "endpoint_name": env.resolved_endpoint_name,
        "network": env.network.model_dump(mode="json") | {"vpc": env.own_vpc and env.own_vpc.model_dump(mode="json")},
    }
    values["instance"]["type"] = env.instance_type
    variables = {f"{'tgi' if name in known else 'container'}.{name}": value for name, value in container.items()}
    return dict(_flattened(values, "")) | variables


def _flattened(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _yaml(value: Any) -> str:
    """A value as one writes it in the file."""
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_yaml(one)}' for key, one in value.items() if one is not None)}}}"
    if isinstance(value, bool):
        return str(value).lower()
    return _UNSET if value is None else f"{value:g}" if isinstance(value, float) else str(value)
