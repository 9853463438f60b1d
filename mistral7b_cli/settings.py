"""`mistral7b settings`: the container's environment of an environment, and how two environments differ."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from mistral7b.environment import Environment, load_environment
from mistral7b.tgi import LauncherSettings
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import out, table, write_json

UNSET = "(unset)"
commands = typer.Typer()


@commands.command()
def settings(
    name: EnvironmentName,
    compare: Annotated[
        str | None, typer.Option(metavar="ENVIRONMENT", help="Show only what is different there.", show_default=False)
    ] = None,
    launcher: Annotated[
        bool, typer.Option("--all", help="Show the launcher variables, too, that are left at TGI's own default.")
    ] = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Print the environment variables that the container gets: which are JumpStart's, which are overridden.

    An override is one line under `tgi:` in the environment file, such as `MAX_CONCURRENT_REQUESTS: 4`.

    `mistral7b settings dev --compare prod` shows everything in which two environments differ, not only the container.
    """
    env = load_environment(folder, name)
    if compare is not None:
        _print_differences(env, load_environment(folder, compare), as_json)
        return
    rows, version = _container_rows(env, launcher), env.version
    if as_json:
        model = {"model": version.jumpstart_id, "version": version.version}
        write_json({"environment": env.name, **model, "variables": rows})
        return
    cells = [
        [
            Text(cell, "bold" if row["overridden"] else "")
            for cell in (row["variable"], row["value"] or UNSET, _source(row))
        ]
        for row in rows
    ]
    title = f"{env.name}: {version.jumpstart_id} {version.version} on {env.instance_type}"
    out.print(table(title, ("variable", "value", "source"), cells))


def _container_rows(env: Environment, with_unset: bool) -> list[dict[str, Any]]:
    """One row a variable: its value, whose it is, and the default (JumpStart's, else TGI's) if it is overridden."""
    jumpstart, container, overrides = env.jumpstart_environment(), env.container_environment(), env.tgi.to_environment()
    tgi = _launcher_defaults()
    names = list(container) + ([v for v in tgi if v not in container] if with_unset else [])
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


def _launcher_defaults() -> dict[str, str | None]:
    """TGI's own defaults as text, by variable; None means inferred or off."""
    defaults = LauncherSettings.model_validate({}).model_dump(by_alias=True)
    return {
        variable: None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for variable, value in defaults.items()
    }


def _print_differences(one: Environment, other: Environment, as_json: bool) -> None:
    a, b = _flat(one), _flat(other)
    rows = [(field, a.get(field), b.get(field)) for field in dict.fromkeys([*a, *b]) if a.get(field) != b.get(field)]
    if as_json:
        write_json([{"field": field, one.name: left, other.name: right} for field, left, right in rows])
        return
    if not rows:
        out.print(f"{one.name} and {other.name} do not differ.")
        return
    title = f"{one.name} and {other.name} differ in {len(rows)} settings"
    cells = [[UNSET if cell is None else str(cell) for cell in row] for row in rows]
    out.print(table(title, ("setting", one.name, other.name), cells))


def _flat(env: Environment) -> dict[str, Any]:
    """Every setting of an environment by its dotted name, with defaults worked out and the container's variables."""
    values = env.model_dump(mode="json", exclude={"name", "tgi", "network"})
    values |= {
        "model_version": env.version.version,
        "endpoint_name": env.resolved_endpoint_name,
        "network": env.network.model_dump(mode="json") | {"vpc": env.own_vpc and env.own_vpc.model_dump(mode="json")},
        "container": env.container_environment(),
    }
    values["instance"]["type"] = env.instance_type
    return dict(_flattened(values, ""))


def _flattened(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
