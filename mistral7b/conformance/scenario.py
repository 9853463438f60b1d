"""Scenarios, which are data: steps in their order, and how to find and remove what they have made."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib.resources import files
from time import monotonic, sleep
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from ruamel.yaml import YAML

from mistral7b.conformance.recording import Recorder
from mistral7b.operate.calls import Client, each

HOURS = 4
"""What the full tier takes at most."""
_LATER = re.compile("DependencyViolation|InUse|DeleteConflict|Throttl|ValidationException")
_VARIABLE = re.compile(r"\$([a-z]\w*)")
Values = dict[str, Any]
Answer = tuple[str, Any]
"""The error code of AWS, or of the connection; and what AWS answered."""


@cache
def load(name: str) -> Any:
    """The steps of a tier, `free` or `full`; or `removal`: what finds and removes what they make."""
    return YAML(typ="safe").load(files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


def call(client: Client, operation: str, request: Mapping[str, Any]) -> Answer:
    """Calls an operation, such as ec2.create_vpc."""
    service, _, name = operation.partition(".")
    try:
        return "", getattr(client(service), xform_name(name))(**request)
    except ClientError as error:
        return str(error.response["Error"]["Code"]), {}
    except (BotoCoreError, AttributeError) as error:  # no connection; or this botocore has no such operation
        return type(error).__name__, {}


def poll(ask: Callable[[], Answer], watched: str, done: str, patience_s: float) -> Iterator[tuple[Any, Any]]:
    """Each change of the watched value (JMESPath) or error code, with the answer, until it is `done` (a pattern)."""
    began, before = monotonic(), object()
    while True:
        error, answer = ask()
        value = error or jmespath.search(watched, answer)
        waited = monotonic() - began
        ended = re.fullmatch(done, str(value)) or waited > patience_s
        if value != before or ended:
            yield value, answer
        if ended:
            return
        before = value
        sleep(min(max(waited / 20, 0.1), 10))


def fill_in(value: Any, values: Values) -> Any:
    """The value with `$name` replaced and `{json: …}` as JSON. Raises KeyError: there is no such name."""
    if isinstance(value, dict):
        filled = {key: fill_in(inner, values) for key, inner in value.items()}
        if value.keys() == {"json"}:
            return json.dumps(filled["json"])
        return {key: inner for key, inner in filled.items() if inner is not None}
    if isinstance(value, list):
        return [fill_in(inner, values) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _VARIABLE.fullmatch(value)
    return values[whole[1]] if whole else _VARIABLE.sub(lambda found: str(values[found[1]]), value)


def run(
    client: Client, steps: list[dict[str, Any]], recorder: Recorder, values: Values, tell: Callable[[str], None]
) -> bool:
    """Runs and records the steps. After Ctrl-C, only those that remove something. Whether all were run."""
    interrupted = False
    for number, step in enumerate(steps, 1):
        name, values["step"] = f"{number}/{len(steps)} {step['do']}", str(number)
        if interrupted and ".delete_" not in step["do"] and not step.get("always"):
            continue
        try:
            tell(f"{name}: {_run(client, step, name, recorder, values)}")
        except KeyError as error:
            recorder.skip(name, step["do"], f"an earlier step made no {error}")
            tell(f"{name}: not recorded, as an earlier step made no {error}")
        except KeyboardInterrupt:
            tell("interrupted: what was made is removed now")
            interrupted = True
    recorder.flush()
    return not interrupted


def _run(client: Client, step: dict[str, Any], name: str, recorder: Recorder, values: Values) -> str:
    request = fill_in(step.get("with", {}), values)
    watched, expected, minutes = (*step.get("until", ("", step.get("refused", ""))), 20)[:3]
    recorder.begin(name, expected, watched)
    ask = partial(call, client, step["do"], request)
    value, answer = [*poll(ask, watched, expected, minutes * values["minute_s"])][-1] if watched else ask()
    for variable, path in step.get("save", {}).items():
        if (found := jmespath.search(path, answer)) is not None:
            values[variable] = found
    remark = "" if re.fullmatch(expected, str(value)) else f", where {expected or 'no error'} was expected"
    return f"{'done' if value in ('', None) else value}{remark}"


def remove(client: Client, values: Values, tell: Callable[[str], None], patience_s: float) -> list[str]:
    """Removes all whose name or tag has the prefix. Returns what was not: each with the reason and the command."""
    deadline, pause = monotonic() + patience_s, 0.1
    while True:
        failed, again = [], False
        for kind in load("removal"):
            service, _, listing = kind["list"].partition(".")
            path, request = fill_in(kind["path"], values), fill_in(kind.get("with", {}), values)
            try:
                names = [*each(client(service), listing, path, **request)]
            except (ClientError, BotoCoreError) as denial:
                failed.append(f"not checked: {kind['list']}: {denial}")
                continue
            for name in names:
                request, error = {}, ""
                for operation, arguments in kind["remove"].items():
                    request = fill_in(arguments, values | {"id": name})
                    error, _ = call(client, operation, request)
                tell(f"removing {name}: {error or 'done'}")
                again = again or not error or bool(_LATER.search(error))
                failed.append(f"{name}: {error or 'being removed'}\n{_command(operation, request, values['region'])}")
        if not again or monotonic() > deadline:
            return failed
        sleep(pause)
        pause = min(2 * pause, 10)


def _command(operation: str, request: Mapping[str, Any], region: str) -> str:
    """The call, as the AWS CLI makes it."""
    texts = {k: " ".join(v) if isinstance(v, list) else v for k, v in request.items()}
    options = "".join(f" --{xform_name(key, '-')} {value}" for key, value in texts.items())
    return f"aws {operation.replace('.', ' ').replace('_', '-')}{options} --region {region}"
