"""What the TGI 1.1.0 container refuses at start-up, found before it starts.

On SageMaker such a refusal shows only after the weights were copied, as a failed health check; the reason is only in
the log. Variables become settings as in `sagemaker-entrypoint.sh` and `launcher/src/main.rs`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from mistral7b.tgi.clap import InvalidValueError, RustType, parse_argument
from mistral7b.tgi.rules import Host, LauncherProblem, Stage, check
from mistral7b.tgi.settings import HINTS, LauncherArguments

NATIVE_NAMES = {
    "HF_MODEL_ID": "MODEL_ID",
    "HF_MODEL_REVISION": "REVISION",
    "SM_NUM_GPUS": "NUM_SHARD",
    "HF_MODEL_QUANTIZE": "QUANTIZE",
    "HF_MODEL_TRUST_REMOTE_CODE": "TRUST_REMOTE_CODE",
}
"""The launcher variable that the entry point sets from each of SageMaker's (only where that is not empty)."""


class LauncherError(ValueError):
    """The container does not start with this environment. The first of `problems` is the one it would stop at.

    `settings` are those it could read, with the defaults of the others.
    """

    def __init__(self, problems: list[LauncherProblem], settings: LauncherArguments) -> None:
        super().__init__("; ".join(f"{p.variable}={p.value}: {p.reason}; {p.fix}" for p in problems))
        self.problems = problems
        self.settings = settings


def parse_environment(
    environment: Mapping[str, str], *, gpus: int | None = None, gpu: str | None = None, network: bool = True
) -> LauncherArguments:
    """The settings that a container with this environment runs with; variables it does not know are ignored, as there.

    `gpus` and `gpu` are the number and the kind of the instance's GPUs, if these are to be checked too; `network` is
    whether the container has one. Raises LauncherError with every problem.
    """
    values: dict[str, Any] = {}
    problems: list[LauncherProblem] = []
    if not environment.get("HF_MODEL_ID"):
        reason, fix = "the container needs to know which model to load", "set HF_MODEL_ID to /opt/ml/model"
        problems.append(LauncherProblem("HF_MODEL_ID", "", reason, fix, Stage.ENTRY_POINT, "HF_MODEL_ID must be set"))
    for name in LauncherArguments.model_fields:
        variable = name.upper()
        text = _text(variable, environment)
        if text is None:
            continue
        rust_type, choices = argument(name)
        try:
            values[variable] = parse_argument(NATIVE_NAMES.get(variable, variable), rust_type, text, choices)
        except InvalidValueError as error:
            problems.append(_unreadable(variable, text, rust_type, choices, error))
    settings = LauncherArguments.model_validate(values)
    unreadable = {problem.variable for problem in problems}
    problems += check(settings, Host(gpus, gpu, network), unreadable)
    if problems:
        raise LauncherError(problems, settings)
    return settings


def _text(variable: str, environment: Mapping[str, str]) -> str | None:
    """What the launcher sees: the entry point passes on its own variables unless they are empty."""
    text = environment.get(variable)
    if variable == "QUANTIZE" and environment.get("HF_MODEL_QUANTIZE"):
        return None
    if variable in NATIVE_NAMES and not text:
        native = NATIVE_NAMES[variable]
        return None if variable in {"HF_MODEL_ID", "HF_MODEL_QUANTIZE"} else environment.get(native)
    return text


def argument(name: str) -> tuple[RustType, tuple[str, ...]]:
    """Type and allowed values of a setting, from its annotation."""
    hint = HINTS[name]
    annotated = next((part for part in get_args(hint) if get_origin(part) is Annotated), hint)
    kind, *_, rust_type = get_args(annotated)
    return rust_type, get_args(kind)


_EXPECTED = {
    RustType.STRING: "text",
    RustType.USIZE: "a whole number from 0",
    RustType.U32: "a whole number from 0 to 4294967295",
    RustType.F32: "a number",
    RustType.BOOL: "true or false",
}


def _unreadable(
    variable: str, text: str, rust_type: RustType, choices: tuple[str, ...], error: InvalidValueError
) -> LauncherProblem:
    expected = f"one of {', '.join(choices)}" if choices else _EXPECTED[rust_type]
    return LauncherProblem(
        variable,
        text,
        f"the launcher cannot read it: {str(error).splitlines()[0]}",
        f"set {variable} to {expected}",
        Stage.ARGUMENTS,
        f"error: {error}\n\nFor more information, try '--help'.",
    )
