"""Policy documents: whether the statements of one allow an action, as far as they can be evaluated here.

What cannot be evaluated never lets anybody in: an operator or a key of a condition that is not known refuses by name.
The logic is IAM's: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from moto.iam.policy_validation import BaseIAMPolicyValidator

Statement = Mapping[str, Any]
Context = Mapping[str, str | None]
"""Condition keys in lower case, and their values in the request: None for one that it does not have."""


class NotEvaluated(Exception):
    """A statement that bears on the request says something that is not emulated; the text says what."""


def statements(document: str | Mapping[str, Any]) -> list[Statement]:
    """The statements of a policy document; none of `{}`, which stands for no policy.

    Raises:
        NotEvaluated: it is no policy by IAM's grammar.
    """
    text = document if isinstance(document, str) else json.dumps(document)
    grammar = BaseIAMPolicyValidator(text)
    try:
        if text != "{}":
            grammar._validate_syntax()
    except Exception as error:  # moto's assertions, and what a text that is no policy ends in
        raise NotEvaluated("a policy document is malformed") from error
    return list(grammar._statements)


def allows(
    statements: list[Statement], action: str, applies: Callable[[Statement], bool], context: Context
) -> list[Statement]:
    """The statements that allow an action, such as `sts:AssumeRole`; none of them where a statement denies it.

    `applies` tells whether a statement is about the principal and the resource of the request; `context` has the values
    of condition keys. Raises NotEvaluated: a statement on this action says something that is not emulated.
    """
    found = [one for one in statements if _names(one, "Action", action) and applies(one) and _holds(one, context)]
    return found if all(one["Effect"] == "Allow" for one in found) else []


def allows_service(document: str, action: str, service: str, context: Context) -> bool:
    """Whether a resource's policy lets a service, such as `events.amazonaws.com`, do something; see `allows`."""

    def names(statement: Statement) -> bool:
        return "*" in principals(statement, "AWS") or service in principals(statement, "Service")

    return bool(allows(statements(document), action, names, context))


def allows_everyone(document: str, action: str, arn: str) -> bool:
    """Whether a resource's policy lets anybody do something, without a signature; not where it cannot be evaluated."""
    context = {"aws:securetransport": "false", "aws:sourceip": "127.0.0.1"}

    def names(statement: Statement) -> bool:
        return "*" in principals(statement, "AWS") and on_resource(statement, arn)

    try:
        return bool(allows(statements(document), action, names, context))
    except NotEvaluated:
        return False


def principals(statement: Statement, kind: str) -> list[str]:
    """The principals of a kind, `AWS` or `Service`, that a statement names; `*` stands for everybody.

    Raises:
        NotEvaluated: it names those that it is not about.
    """
    if "NotPrincipal" in statement:
        raise NotEvaluated("NotPrincipal is not emulated")
    principal = statement.get("Principal", {})
    return [str(one) for one in listed(principal.get(kind, []) if isinstance(principal, dict) else principal)]


def listed(value: Any) -> list[Any]:
    """A value that may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def on_resource(statement: Statement, arn: str) -> bool:
    """Whether a statement of an identity's policy is about a resource."""
    return _names(statement, "Resource", arn)


def _names(statement: Statement, member: str, value: str) -> bool:
    """Whether the patterns of `Action` or `Resource` fit the value, or those of `NotAction` or `NotResource` do not."""
    negated = f"Not{member}" in statement
    patterns = listed(statement[f"Not{member}"] if negated else statement.get(member, []))
    return any(like(value, one, any_case=member == "Action") for one in patterns) is not negated


def _holds(statement: Statement, context: Context) -> bool:
    """Whether every condition of a statement holds."""
    return all(
        _condition(operator, key, listed(wanted), context)
        for operator, conditions in statement.get("Condition", {}).items()
        for key, wanted in conditions.items()
    )


def _condition(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    name = operator.removeprefix("ForAnyValue:")  # of keys with one value, the same
    only_if_there = name.endswith("IfExists")
    compare = _OPERATORS.get(name.removesuffix("IfExists"))
    if compare is None and name != "Null":
        raise NotEvaluated(f"condition operator {operator} is not emulated")
    if key.lower() not in context and not key.lower().startswith(_TAGS):
        raise NotEvaluated(f"condition key {key} is not emulated")
    value = context.get(key.lower())
    if compare is None:  # Null: "true" wants the key not to be there, "false" to be
        return any(str(one).lower() == str(value is None).lower() for one in wanted)
    negated = "Not" in name
    if value is None:
        return only_if_there or negated
    texts = [one if isinstance(one, str) else json.dumps(one) for one in wanted]
    return (all if negated else any)(compare(value, one) for one in texts)


_TAGS = ("aws:resourcetag/", "iam:resourcetag/")
"""Beginnings of the keys that the context has for the tags that there are."""


def like(value: str, wanted: Any, *, any_case: bool = False) -> bool:
    """Whether a value fits a pattern, in which `*` stands for any characters and `?` for one.

    Raises:
        NotEvaluated: the pattern holds a policy variable, such as `${aws:username}`.
    """
    if "${" in (text := str(wanted)):
        raise NotEvaluated(f"policy variables, as in {text}, are not emulated")
    return pattern(text, any_case).fullmatch(value) is not None


@lru_cache(1000)
def pattern(text: str, any_case: bool = False) -> re.Pattern[str]:
    """The regular expression of a pattern with `*` and `?`; it never goes back from a star to one before."""
    first, *others = (re.escape(part).replace(r"\?", ".") for part in text.split("*"))
    last = f".*{others.pop()}" if others else ""
    expression = first + "".join(f"(?>.*?{part})" for part in others) + last
    return re.compile(expression, re.IGNORECASE * any_case | re.DOTALL)


def arn_like(value: str, pattern: str) -> bool:
    """Whether an ARN fits a pattern, part by part: a `*` reaches no further than the next colon."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(like(part, one) for part, one in zip(parts, patterns, strict=True))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringNotEquals": lambda value, wanted: value != wanted,
    "StringLike": like,
    "ArnEquals": arn_like,  # the same as ArnLike, by IAM's reference of condition operators
    "ArnLike": arn_like,
}


def tags_context(tags: Iterator[tuple[str, str]]) -> dict[str, str | None]:
    """The condition keys that hold the tags of a resource."""
    return {f"{prefix}{key}".lower(): value for key, value in tags for prefix in _TAGS}
