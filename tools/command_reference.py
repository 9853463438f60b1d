"""docs/commands.md: every command with its usage, arguments, options and examples, as its help shows them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer

from mistral7b import errors
from mistral7b_cli.app import _PANELS, app
from tools.markdown import anchor, cell, linked

_EXIT_CODE = re.compile(r"(?m)^[A-Z_]+ = (\d+)  # (.+)$")
_EXAMPLES = re.compile(r"(?m)(?:^`\$ .*` *(?:\n|\Z))+")
_PLACE = re.compile(r"<!-- (.+) -->\n")
_HELP_DEFAULT = re.compile(r"\s*\[default: (.+)\]$")


class _Command(NamedTuple):
    panel: str
    name: str
    command: Any
    context: Any

    @property
    def summary(self) -> str:
        """The first paragraph of the help."""
        return " ".join(self.command.help.split("\n\n")[0].split())


def command_reference() -> str:
    """The document, as Markdown."""
    panels = [*_PANELS]
    commands = sorted(_commands(typer.main.get_group(app), "mistral7b", None), key=lambda one: panels.index(one.panel))
    places = {"overview": _overview(commands), "variables": _variables(commands), "exit codes": _exit_codes()}
    introduction = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    parts = [_PLACE.sub(lambda place: places[place[1]], introduction)]
    for panel in panels:
        parts.append(f"## {panel}\n\n")
        parts += [_section(one) for one in commands if one.panel == panel]
    return "".join(parts).rstrip() + "\n"


def _commands(group: Any, path: str, panel: str | None) -> Iterator[_Command]:
    context = group.make_context(path, [], resilient_parsing=True)
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        own = panel or group.commands[name].rich_help_panel
        if hasattr(command, "list_commands"):
            yield from _commands(command, f"{path} {name}", own)
        else:
            whole = f"{path} {name}".removeprefix("mistral7b ")
            yield _Command(own, whole, command, type(context)(command, info_name=f"mistral7b {whole}"))


def _overview(commands: list[_Command]) -> str:
    rows = [f"| [`{one.name}`](#{anchor(one.name)}) | {cell(one.summary)} |\n" for one in commands]
    return "".join(["| command | what it does |\n| --- | --- |\n", *rows])


def _variables(commands: list[_Command]) -> str:
    parameters = [parameter for one in commands for parameter in one.command.params if parameter.envvar]
    rows = {one.envvar: f"| `{one.envvar}` | {_meaning(one)} Like `{one.opts[0]}`. |\n" for one in parameters}
    return "".join(rows[name] for name in sorted(rows))


def _exit_codes() -> str:
    source = Path(errors.__file__).read_text(encoding="utf-8")
    return "".join(f"| {code} | {cell(text[0].upper() + text[1:])}. |\n" for code, text in _EXIT_CODE.findall(source))


def _section(one: _Command) -> str:
    usage = " ".join(one.command.collect_usage_pieces(one.context))
    parts = [f"### {one.name}\n\n", _paragraphs(one.command.help)]
    parts.append(f"```text\n{one.context.command_path} {usage}\n```\n\n")
    shown = [parameter for parameter in one.command.params if not parameter.hidden]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    options = [parameter for parameter in shown if parameter.param_type_name == "option"]
    rows = [f"| `{_code(parameter.metavar)}` | {_meaning(parameter)} |\n" for parameter in arguments]
    parts += ["| argument | meaning |\n| --- | --- |\n", *rows, "\n"] if rows else []
    rows = [f"| {_names(parameter)} | {_default(parameter)} | {_meaning(parameter)} |\n" for parameter in options]
    parts += ["| option | default | meaning |\n| --- | --- | --- |\n", *rows, "\n"] if rows else []
    epilog = _EXAMPLES.sub(_console, one.command.epilog.replace("**Examples**\n\n", ""))
    return "".join([*parts, _paragraphs(epilog)])


def _paragraphs(text: str) -> str:
    return f"{linked(text).strip()}\n\n" if text.strip() else ""


def _console(examples: re.Match[str]) -> str:
    lines = [line.strip().removeprefix("`").removesuffix("`") for line in examples[0].splitlines()]
    return "\n".join(["```console", *lines, "```", ""])


def _names(parameter: Any) -> str:
    value = f" {_code(parameter.metavar)}" if parameter.metavar else ""
    names = ", ".join(f"`{name}{value}`" for name in parameter.opts)
    return names + "".join(f", `{name}`" for name in parameter.secondary_opts)


def _meaning(parameter: Any) -> str:
    text = _HELP_DEFAULT.sub("", parameter.help or "")
    several = parameter.param_type_name == "option" and parameter.multiple and "Repeat" not in text
    optional = parameter.param_type_name == "argument" and not parameter.required
    return cell(" ".join([text, *(["Repeatable."] if several else ()), *(["Optional."] if optional else ())]))


def _default(parameter: Any) -> str:
    said = _HELP_DEFAULT.search(parameter.help or "")
    if said is not None:
        return cell(said[1])
    value = parameter.default
    if parameter.name == "folder":
        return "`environments`"  # unless cdk.json names another
    if parameter.required:
        return "required"
    if value is None or value in (False, "", [], ()):
        return ""
    listed = ",".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)
    return f"`{_code('on' if value is True else listed)}`"


def _code(text: str) -> str:
    return text.replace("|", "\\|")
