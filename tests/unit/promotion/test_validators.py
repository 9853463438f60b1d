"""Each value by itself: branches as git takes them, addresses, ARNs, commands."""

import subprocess
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from mistral7b.environment import limits
from mistral7b.promotion import validators


def accepted(value: str, validator: Callable[[str], str]) -> bool:
    """Whether a validator accepts the value."""
    try:
        return validator(value) == value
    except (PydanticCustomError, ValidationError):
        return False


def matching(pattern: Any) -> Callable[[str], str]:
    """The validator of a text with a pattern."""
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[str, pattern])
    return adapter.validate_python


@given(st.text("aA0./-_@~^:?*[\\ {", min_size=1, max_size=12))
def test_a_branch_that_is_accepted_is_one_that_git_takes(name: str) -> None:
    """A branch that git takes. Source: git-check-ref-format."""
    if accepted(name, validators.branch):
        assert (
            subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False).returncode
            == 0
        )


@pytest.mark.parametrize("name", ["main", "release/1.0", "feature/JIRA-1_x", "a@b", "v1.x", "user+topic", "#12"])
def test_usual_branches_are_accepted(name: str) -> None:
    assert accepted(name, validators.branch)


@pytest.mark.parametrize(
    "name", ["", "-x", "a..b", "a b", "a.lock", "a/.b", "/a", "a/", "a//b", "HEAD", "@", "refs/heads/main", "a" * 256]
)
def test_a_name_that_is_not_a_branch_is_refused(name: str) -> None:
    assert not accepted(name, validators.branch)


@given(st.text(max_size=40))
def test_a_command_that_is_accepted_is_one_line_that_does_something(text: str) -> None:
    """Commands of one visible line that do something, of up to 1,000 characters. Source: this project."""
    if accepted(text, validators.command):
        assert len(text.splitlines()) == 1
        assert text.strip()
        assert not text.lstrip().startswith("#")


@pytest.mark.parametrize("text", ["make setup", "  indented", "echo 'ünïcode'", "a && b | c > d"])
def test_usual_commands_are_accepted(text: str) -> None:
    assert accepted(text, validators.command)


@pytest.mark.parametrize("text", ["a\nb", "a\r", "a\x1b[2J", "a\u2028b", "a\u202eb"])
def test_a_command_with_characters_that_cannot_be_seen_is_refused(text: str) -> None:
    assert not accepted(text, validators.command)


@given(st.text(max_size=30) | st.emails())
def test_an_address_that_is_accepted_has_a_mailbox_and_a_domain(text: str) -> None:
    """E-mail addresses of up to 254 characters, each once. Source: RFC 5321; SNS API, Subscribe."""
    if accepted(text, limits.email):
        mailbox, _, domain = text.rpartition("@")
        assert mailbox
        assert "." in domain
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_is_named_by_its_arn_of_either_service(service: str) -> None:
    arn = f"arn:aws:{service}:us-east-1:111111111111:connection/12345678-1234-1234-1234-123456789012"
    assert accepted(arn, matching(validators.CONNECTION_ARN))
    assert not accepted(f"{arn}\n", matching(validators.CONNECTION_ARN))


@given(st.text("0123456789٣", min_size=10, max_size=13))
def test_an_account_is_twelve_digits(text: str) -> None:
    """The account has twelve digits. Source: AWS account identifiers."""
    assert accepted(text, matching(limits.ACCOUNT_ID)) == (len(text) == 12 and text.isascii())
