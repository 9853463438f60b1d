"""Policy documents: what fits a pattern, which conditions hold, what is allowed."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagehost import policies
from sagehost.policies import NotEvaluated

texts = st.text(st.characters(exclude_characters="*?$"), max_size=8)


@given(texts, texts, texts)
def test_a_star_stands_for_any_characters(before: str, between: str, after: str) -> None:
    assert policies.like(before + between + after, f"{before}*{after}")


@given(texts)
def test_a_text_is_like_itself_and_nothing_longer(text: str) -> None:
    assert policies.like(text, text)
    assert not policies.like(f"{text}x", text)
    assert policies.like(f"{text}x", f"{text}?")


def test_many_stars_are_compared_at_once() -> None:
    assert not policies.like("a" * 1000, "*a" * 60 + "*b")
    assert policies.like("a" * 1000 + "b", "*a" * 60 + "*b")


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns_mean_what_the_file_names_of_a_shell_mean(pattern: str, text: str) -> None:
    assert policies.like(text, pattern) is fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("arn", "pattern", "fits"),
    [
        ("arn:aws:iam::1:role/a", "arn:aws:iam::1:role/a", True),
        ("arn:aws:iam::1:role/a/b", "arn:aws:iam::*:role/*", True),
        ("arn:aws:logs:r:1:log-group:a:b", "arn:aws:logs:*:1:log-group:*", True),
        ("arn:aws:iam::1:role/a", "arn:*:role/a", False),  # a star reaches no further than the next colon
        ("arn:aws:iam::1:role/a", "*", False),
        ("arn:aws:iam::1:role/A", "arn:aws:iam::1:role/a", False),
    ],
)
def test_arns_are_compared_part_by_part(arn: str, pattern: str, fits: bool) -> None:
    assert policies.arn_like(arn, pattern) is fits


def allowed(*statements: dict[str, Any], action: str = "sts:AssumeRole", **context: str | None) -> bool:
    document = json.dumps({"Statement": list(statements)} if statements else {})
    keys = {f"aws:{key}".lower(): value for key, value in context.items()}
    return bool(policies.allows(policies.statements(document), action, lambda _: True, keys))


ALLOW = {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}


def test_actions_are_denied_by_default() -> None:
    assert not allowed()
    assert not allowed(ALLOW, action="s3:GetObject")
    assert allowed(ALLOW)


def test_action_names_are_case_insensitive() -> None:
    assert allowed({**ALLOW, "Action": ["STS:assumerole"]})


def test_a_deny_statement_overrides_every_allow_statement() -> None:
    deny = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
    assert not allowed(ALLOW, deny)
    assert not allowed(deny, ALLOW)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:A": "1"}}, True),
        ({"StringEquals": {"AWS:a": ["0", "1"]}}, True),
        ({"StringEquals": {"aws:A": "1", "aws:B": "2"}}, False),
        ({"StringEquals": {"aws:A": "1"}, "StringLike": {"aws:A": "2*"}}, False),
        ({"StringEquals": {"aws:B": "2"}}, False),
        ({"StringEqualsIfExists": {"aws:B": "2"}}, True),
        ({"StringEqualsIfExists": {"aws:A": "2"}}, False),
        ({"StringEquals": {"aws:A": "*"}}, False),
        ({"Null": {"aws:B": "true"}}, True),
        ({"Null": {"aws:A": "true"}}, False),
        ({"StringEquals": {"aws:ResourceTag/absent": "1"}}, False),
    ],
)
def test_every_condition_has_to_hold(condition: dict[str, Any], holds: bool) -> None:
    assert allowed({**ALLOW, "Condition": condition}, A="1", B=None) is holds


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ({"Condition": {"StringEquals": {"aws:Unknown": "1"}}}, "condition key aws:Unknown is not emulated"),
        ({"Condition": {"StringNotLike": {"aws:A": "1"}}}, "condition operator StringNotLike is not emulated"),
        ({"Condition": {"StringLike": {"aws:A": "${aws:username}"}}}, "policy variables"),
    ],
)
def test_what_cannot_be_evaluated_is_named(statement: dict[str, Any], named: str) -> None:
    with pytest.raises(NotEvaluated, match=named):
        allowed({**ALLOW, **statement}, A="1")
