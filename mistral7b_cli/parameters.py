"""What the help shows of arguments and options, and what a shell's completion offers for their values."""

import os
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from mistral7b import catalog
from mistral7b.project import environments_folder

_EXAMPLE = re.compile(r"(?m)^\$ (.*)$")


def _environments(folder: Path) -> Iterable[str]:
    return sorted(file.stem for file in folder.glob("*.yaml") if file.stem not in ("common", "pipeline"))


_CHOICES: dict[str, Callable[[Path], Iterable[str]]] = {
    "ENVIRONMENT": _environments,
    "ENVIRONMENT|pipeline": lambda folder: (*_environments(folder), "pipeline"),
    "NAME=VALUE": lambda _: (f"{name}=" for name in import_module("mistral7b.tgi").GenerateParameters.__annotations__),
    "POLICY": lambda _: ("concurrency:", "fixed:", "invocations:"),
    "REGION": lambda _: catalog.regions(),
    "TYPE": lambda _: (one.name for one in catalog.instance_types()),
}
"""What can be given for a value that the help names so, with the folder of the environment files."""


def describe(command: Any, context: Any) -> None:
    """Has a command's help name values, where typer shows Python types and bounds, and its values be completed."""
    command.epilog = _EXAMPLE.sub(r"`$ \1`  ", command.epilog or "")
    parameter: Any
    for parameter in command.get_params(context):
        if parameter.metavar is None:
            numbers = parameter.type_descriptor.annotation in (int, float)
            parameter.metavar = "NUMBER" if numbers else parameter.display_type(context).strip("<>")
        parameter.min = parameter.max = None  # only the help reads these
        if parameter.param_type_name == "argument":
            usage = parameter.metavar if parameter.required else f"[{parameter.metavar}]"
            parameter.get_usage_pieces = lambda _, usage=usage: [usage]
            parameter.display_type_rich = lambda **_: ""
        elif parameter.is_flag:
            parameter.metavar = ""
        if parameter.metavar in _CHOICES:
            parameter._custom_shell_complete = _complete
    for part in getattr(command, "commands", {}).values():
        describe(part, context)


def _complete(context: Any, parameter: Any, incomplete: str) -> list[str]:
    project = environments_folder(Path())
    folder = Path(context.params.get("folder") or os.environ.get("MISTRAL7B_ENVIRONMENTS") or project)
    return [one for one in _CHOICES[parameter.metavar](folder) if one.startswith(incomplete)]
