"""docs/security.md: who may do what, and every policy statement with its reason."""

import textwrap
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from mistral7b.environment import Environment
from stacks.stage import EnvironmentStage
from stacks.statements import StackStatements
from tools.statement_cases import Case
from tools.statement_entries import Entry, StatementsError, Value, entries

INTRODUCTION = Path(__file__).with_name("security_introduction.md")
# Where a reader finds the document, by the name that the collector gives it.
_POLICIES = {
    "AssumeRolePolicyDocument": "trust policy",
    "KeyPolicy": "key policy",
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::EC2::VPCEndpoint": "endpoint policy",
    "AWS::IAM::Policy": "policy on the caller's role",
}
_STACKS = {
    "network": "the callers' way to the endpoint, flow logs and their key",
    "endpoint": "the model's role and way to S3, its callers, its key, and captured requests",
}


def security_document(stages: Mapping[str, EnvironmentStage], environments: Mapping[str, Environment]) -> str:
    """The document of these environments, as Markdown.

    Raises:
        StatementsError: with every statement without a reason, reason without a statement, and wrong case.
    """
    collected = [StackStatements(stage.node.id, stage.stacks) for stage in stages.values()]
    unused = [reason for one in collected for reason in one.unused_reasons()]
    if unused:
        raise StatementsError("\n".join(f"{reason} explains no statement: remove the reason" for reason in unused))
    found = entries([statement for one in collected for statement in one.statements], environments)
    lines = [INTRODUCTION.read_text(encoding="utf-8").rstrip()]
    for stack, of_stack in groupby(found, key=lambda entry: entry.stack):
        lines += ["", f"## Stack `{stack}`", "", f"{_sentence(_STACKS[stack])}"]
        for path, of_resource in groupby(of_stack, key=lambda entry: entry.path):
            lines += _resource(path, list(of_resource))
    return "\n".join(lines) + "\n"


def _resource(path: str, found: list[Entry]) -> list[str]:
    shared = [case for case in found[0].cases if all(case in entry.cases for entry in found)]
    lines = ["", f"### `{path}`: {found[0].resource_type}", "", _sentence(_when(shared, "in every environment"))]
    for entry in found:
        own = [case for case in entry.cases if case not in shared]
        lines += ["", *_statement(entry, own)]
    return lines


def _statement(entry: Entry, cases: list[Case]) -> list[str]:
    policy = _POLICIES.get(entry.policy) or _POLICIES.get(entry.resource_type) or f"inline policy `{entry.policy}`"
    where = f"**{entry.key}** ({policy}{_aside(cases)})"
    return [
        *textwrap.wrap(f"{where}: {entry.reason}.", 118, break_long_words=False, break_on_hyphens=False),
        "",
        *_list(entry.effect, [Value(f"`{action}`", ()) for action in entry.actions]),
        *_list("Principal", [Value(f"`{principal}`", ()) for principal in entry.principals]),
        *_list("Resource", [Value(f"`{value.text}`", value.cases) for value in entry.values(entry.resources)]),
        *_list("Condition", [Value(f"`{value.text}`", value.cases) for value in entry.values(entry.conditions)]),
    ]


def _list(heading: str, values: list[Value]) -> list[str]:
    texts = [f"{value.text}{f' ({_when(value.cases)})' if value.cases else ''}" for value in values]
    one_line = f"- {heading}: {', '.join(texts)}"
    if len(one_line) <= 118 or len(texts) == 1:
        return [one_line] if texts else []
    return [f"- {heading}:", *(f"  - {text}" for text in texts)]


def _when(cases: list[Case] | tuple[Case, ...], otherwise: str = "") -> str:
    return ", and ".join(case.wording for case in cases) or otherwise


def _aside(cases: list[Case]) -> str:
    return f"; {_when(cases)}" if cases else ""


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
