"""`mistral7b settings`: what an environment deploys, its container's variables, and how two environments differ."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from mistral7b.catalog.prices import price_of
from mistral7b.environment import AutoScaling, Environment, load_environment
from mistral7b.tgi import LauncherOverrides, LauncherSettings
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import say, write_json

UNSET = "(unset)"
commands = typer.Typer()


@commands.command()
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
        _print_differences(env, load_environment(folder, compare), as_json)
        return
    rows, version = _container_rows(env, launcher), env.version
    if as_json:
        where = {"account": env.account, "region": env.region, "endpoint_name": env.resolved_endpoint_name}
        model = {"model": version.jumpstart_id, "version": version.version}
        write_json({"environment": env.name, **where, **model, "variables": rows})
        return
    say(env.name, "bold")
    say(f"""\
account        {env.account or "that of the credentials"}
region         {env.region}
endpoint_name  {env.resolved_endpoint_name}
model          {env.model} {version.version} ({version.jumpstart_id}, TGI {version.tgi_version})
instance       {env.instance.count} × {env.instance_type}
auto_scaling   {_scaling(env.auto_scaling)}
cost           {_cost(env)}
""")
    cells = [
        [
            Text(cell, "bold" if row["overridden"] else "")
            for cell in (row["variable"], row["value"] or UNSET, _source(row))
        ]
        for row in rows
    ]
    say(Table("", ("variable", "value", "source"), cells))


def _scaling(scaling: AutoScaling | None) -> str:
    if scaling is None:
        return UNSET
    target = f"{scaling.target_concurrent_requests:g} concurrent requests each"
    return f"{scaling.min_instances} to {scaling.max_instances} instances, target {target}"


def _cost(env: Environment) -> str:
    price, source = price_of(env.instance_type, None)
    if price is None:
        return "no price of this instance type is built in"
    costs = [price * count for count in sorted(set(env.instance_bounds))]
    hour, month = " to ".join(f"{one:.4g}" for one in costs), " to ".join(f"{730 * one:,.0f}" for one in costs)
    return f"{hour} USD an hour, {month} in a month of 730 hours ({source})"


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
    return f"{whose}, over {row['default_of']}'s {row['default'] or UNSET}"


def _print_differences(one: Environment, other: Environment, as_json: bool) -> None:
    rows = list(_differences(_settings_of(one), _settings_of(other)))
    if as_json:
        write_json([{"field": field, one.name: left, other.name: right} for field, left, right in rows])
        return
    if not rows:
        say(f"{one.name} and {other.name} do not differ.")
        return
    say(f"{one.name} → {other.name}: {len(rows)} settings differ\n", "bold")
    width = max(len(field) for field, _, _ in rows)
    for field, left, right in rows:
        say(f"{field:<{width}}  {_yaml(left)} → {_yaml(right)}")


def _settings_of(env: Environment) -> dict[str, Any]:
    """Every setting of an environment as its file names it, with defaults worked out and the container's variables."""
    container, known = env.container_environment(), LauncherOverrides.model_validate({}).model_dump(by_alias=True)
    values = env.model_dump(mode="json", exclude={"name", "tgi", "network"})
    values |= {
        "model_version": env.version.version,
        "endpoint_name": env.resolved_endpoint_name,
        "network": env.network.model_dump(mode="json") | {"vpc": env.own_vpc and env.own_vpc.model_dump(mode="json")},
        "tgi": {variable: value for variable, value in container.items() if variable in known},
        "container": {variable: value for variable, value in container.items() if variable not in known},
    }
    values["instance"]["type"] = env.instance_type
    return values


def _differences(one: dict[str, Any], other: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each setting that differs, by its dotted name, with both values."""
    for key in dict.fromkeys([*one, *other]):
        left, right = one.get(key), other.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            yield from _differences(left, right, f"{prefix}{key}.")
        elif left != right:
            yield prefix + key, left, right


def _yaml(value: Any) -> str:
    """A value as one writes it in the file."""
    if value is None:
        return UNSET
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_yaml(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
