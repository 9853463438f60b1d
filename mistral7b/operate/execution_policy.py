"""What CloudFormation's execution role needs to deploy templates, as managed policies for `cdk bootstrap`.

The actions are those of CloudFormation's resource handlers, by type (execution_permissions.json), on the names that the
templates give and on what begins as the names that CloudFormation makes of stack and resource.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mistral7b.catalog import partition
from mistral7b.errors import WRONG_INPUT, UserError
from mistral7b.operate.permissions import StackPolicies

_FACTS: Mapping[str, Any] = json.loads(Path(__file__).with_name("execution_permissions.json").read_text("utf-8"))
_CONDITION_KEYS = {"iam:PassRole": "iam:PassedToService", "iam:CreateServiceLinkedRole": "iam:AWSServiceName"}
_MOST_CHARACTERS, _MOST_POLICIES = 6_144, 10
"""Of a managed policy, without blanks, and of policies of a role (IAM quotas)."""
_KEPT_OF_STACK = 24
"""Characters of a stack's name that CloudFormation keeps at least in a name that it makes."""


def documents(stacks: Iterable[StackPolicies]) -> list[Mapping[str, Any]]:
    """Managed policies for the role that deploys these stacks of one account.

    A statement's Sid says whether its actions are proven, or only named by CloudFormation's resource schemas.

    Raises:
        UserError: they are more than a role may have.
    """
    made: list[Mapping[str, Any]] = []
    for number, ((unproven, resources, condition), actions) in enumerate(sorted(_rules(stacks).items())):
        statement: dict[str, Any] = {"Sid": f"{'FromSchema' if unproven else 'Proven'}{number}", "Effect": "Allow"}
        statement |= {"Action": sorted(actions), "Resource": resources}
        statement |= {"Condition": json.loads(condition)} if condition else {}
        if not made or _size([*made[-1]["Statement"], statement]) > _MOST_CHARACTERS:
            made.append({"Version": "2012-10-17", "Statement": []})
        made[-1]["Statement"].append(statement)
    if len(made) > _MOST_POLICIES or any(_size(one["Statement"]) > _MOST_CHARACTERS for one in made):
        told = f"the permissions take {len(made)} managed policies, and a role may have {_MOST_POLICIES}"
        raise UserError(f"{told}\nfix: name fewer environments, and give others another qualifier", WRONG_INPUT)
    return made


def _size(statements: list[Any]) -> int:
    return len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))


def _rules(stacks: Iterable[StackPolicies]) -> Mapping[tuple[bool, tuple[str, ...], str], set[str]]:
    """Actions by whether no test has seen them called, by their resources, and by their condition."""
    arns: dict[tuple[str, str], set[str]] = defaultdict(set)
    for stack in stacks:
        for kind in {one["Type"] for one in stack.resources.values()} - {"AWS::CDK::Metadata"}:
            for action in _actions(kind):
                service = _FACTS["passed_to"].get(kind, _FACTS["service_linked"])
                key = _CONDITION_KEYS.get(action)
                condition = json.dumps({"StringEquals": {key: service}}) if key else ""
                arns[action, condition].update(*(_arns(stack, one) for one in _FACTS["resources"][action]))
    rules: dict[tuple[bool, tuple[str, ...], str], set[str]] = defaultdict(set)
    for (action, condition), found in arns.items():
        if found:
            rules[action not in _FACTS["called"], tuple(sorted(found)), condition].add(action)
    return rules


def _actions(kind: str) -> list[str]:
    try:
        found = _FACTS["types"][kind]
    except KeyError:
        fix = "add the type to tools/write_execution_permissions.py, and run it"
        raise UserError(f"{kind} is not in execution_permissions.json\nfix: {fix}", WRONG_INPUT) from None
    return [*found["schema"], *(one for actions in found["added"].values() for one in actions)]


def _arns(stack: StackPolicies, pattern: str) -> set[str]:
    """The ARNs of a pattern such as `arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}`."""
    place = {"Partition": partition(stack.region), "Region": stack.region, "Account": stack.account}
    found = {pattern}
    for name in re.findall(r"\$\{(\w+)\}", pattern):
        values = {place[name]} if name in place else {*_names(stack, name)} if name in _FACTS["names"] else {"*"}
        found = {one.replace(f"${{{name}}}", value) for one in found for value in values}
    return {one.lower() if re.match("arn:[^:]+:(s3|sagemaker):", one) else one for one in found}


def _names(stack: StackPolicies, placeholder: str) -> Iterator[str]:
    """The names of the stack's resources that stand for a placeholder, and patterns of generated ones."""
    for holder in _FACTS["names"][placeholder]:
        kind, _, name = holder.rpartition(".")
        for logical_id in [one for one, resource in stack.resources.items() if resource["Type"] == kind]:
            value = stack.resources[logical_id].get("Properties", {}).get(name)
            if isinstance(value, str):
                yield value.removeprefix("https://")
                continue
            yield f"{stack.stack_name[:_KEPT_OF_STACK]}*"
            if kind.startswith("AWS::SageMaker::"):  # whose names may leave the stack's out
                yield f"{logical_id}-*"
