"""docs/security.md: who may do what, and every policy statement with its reason."""

import textwrap
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tools.statement_cases import Case
from tools.statement_entries import Entry, StatementsError, Value, entries
from tools.statement_subjects import Subject

INTRODUCTION = Path(__file__).with_name("security_introduction.md")
# Where a reader finds the document, by the name that the collector gives it.
_POLICIES = {
    "AssumeRolePolicyDocument": "trust policy",
    "KeyPolicy": "key policy",
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::EC2::VPCEndpoint": "endpoint policy",
    "AWS::SNS::TopicPolicy": "topic policy",
    "AWS::IAM::RolePolicy": "policy on the role",
}
_ALWAYS = {"endpoint": "in every environment"}
_STACKS = {
    "endpoint": "the network with its flow logs, the model's role, its callers, keys, captured requests, the gate role",
    "github": "roles of the jobs of GitHub Actions",
    "pipeline": "the pipeline's role, the roles of its builds, artifacts, logs and notifications",
    "pipeline-<region>": "artifacts of a region that the pipeline deploys to and is not in itself",
}


def security_document(subjects: Sequence[Subject]) -> str:
    """The document of these environments and pipelines, as Markdown.

    Raises:
        StatementsError: with every statement without a reason, reason without a statement, and wrong case.
    """
    unused = [reason for subject in subjects for reason in subject.collected.unused_reasons()]
    if unused:
        raise StatementsError("\n".join(f"{reason} explains no statement: remove the reason" for reason in unused))
    environments = [subject for subject in subjects if subject.environment is not None]
    pipelines = [subject for subject in subjects if subject.environment is None]
    found = [*_entries(environments), *_entries(pipelines)]
    lines = [INTRODUCTION.read_text(encoding="utf-8").rstrip()]
    for stack, of_stack in groupby(found, key=lambda entry: entry.stack):
        lines += ["", f"## Stack `{stack}`", "", f"{_sentence(_STACKS[stack])}"]
        for path, of_resource in groupby(of_stack, key=lambda entry: entry.path):
            lines += _resource(path, list(of_resource))
    return "\n".join(lines) + "\n"


def _entries(subjects: Sequence[Subject]) -> list[Entry]:
    return entries([statement for subject in subjects for statement in subject.collected.statements], subjects)


def _resource(path: str, found: list[Entry]) -> list[str]:
    shared = [case for case in found[0].cases if all(case in entry.cases for entry in found)]
    lines = [
        "",
        f"### `{path}`: {found[0].resource_type}",
        "",
        _sentence(_when(shared, _ALWAYS.get(found[0].stack, "always"))),
    ]
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
        *_list("Principal", [Value(f"`{value.text}`", value.cases) for value in entry.values(entry.trusted)]),
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
