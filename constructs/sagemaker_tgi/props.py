"""Checks of construct props: every problem of one construct, in one error."""

import re
from typing import ClassVar, Self

import aws_cdk as cdk
from constructs import Construct

# Subnets and VpcSecurityGroupIds in the SageMaker API.
MAX_SUBNETS, MAX_SECURITY_GROUPS = 16, 5
# LogGroupName in the CloudWatch Logs API.
_LOG_GROUP_NAME = r"[.\-_/#A-Za-z0-9]{1,512}"


class InvalidPropsError(ValueError):
    """The props of a construct are wrong. The message has a line for each problem: prop, value, reason and fix."""


class PropsCheck:
    """Collects what is wrong with the props of one construct: `with PropsCheck(scope, construct_id) as check:`.

    The end of the block raises every problem at once. While the block of a construct that is made of others is open,
    theirs do not raise: their problems come with its own.

    Values that are known only at deployment (unresolved tokens) pass every check. Only a value that fails a check is
    tested for being a token, as each test costs a call to Node.
    """

    _open: ClassVar[list["PropsCheck"]] = []

    def __init__(self, scope: Construct, construct_id: str) -> None:
        self._scope, self._construct_id = scope, construct_id
        self._problems: list[str] = []
        self._of_parts: list[str] = []

    def __enter__(self) -> Self:
        self._open.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Raises the problems, also in place of an error that a wrong prop has led to.

        Raises:
            InvalidPropsError: with all problems.
        """
        self._open.pop()
        messages = self._of_parts
        if self._problems:
            count = "1 problem" if len(self._problems) == 1 else f"{len(self._problems)} problems"
            path = "/".join(part for part in (self._scope.node.path, self._construct_id) if part)
            messages = ["\n  ".join([f"{path}: {count} with its props", *self._problems]), *messages]
        if messages and self._open:
            self._open[-1]._of_parts += messages
        elif messages:
            raise InvalidPropsError("\n".join(messages)) from None

    def reject(self, prop: str, value: object, reason: str, fix: str) -> None:
        """Notes a problem with `prop`."""
        self._problems.append(f"{prop}={value!r}: {reason}; {fix}")

    def matches(self, prop: str, value: str, pattern: str, fix: str) -> bool:
        """Whether the whole of `value` matches the regular expression `pattern`; notes a problem if not."""
        if re.fullmatch(pattern, value) or cdk.Token.is_unresolved(value):
            return True
        self.reject(prop, value, f"does not match {pattern}", fix)
        return False

    def no_longer_than(self, prop: str, value: str, length: int) -> None:
        """Notes a problem if `value` has more than `length` characters."""
        if len(value) > length and not cdk.Token.is_unresolved(value):
            self.reject(prop, value, f"has {len(value)} characters", f"use {length} or fewer")

    def names_log_group(self, prop: str, value: str) -> None:
        """Notes a problem unless CloudWatch Logs takes `value` as the name of a log group."""
        self.matches(prop, value, _LOG_GROUP_NAME, "use up to 512 letters, digits and . - _ / #")

    def between(self, prop: str, value: float, low: float, high: float | None = None) -> None:
        """Notes a problem unless `low` <= `value` <= `high`; None for `high` means no upper limit."""
        if (low <= value and (high is None or value <= high)) or cdk.Token.is_unresolved(value):
            return
        allowed = f"from {low} to {high}" if high is not None else f"{low} or more"
        self.reject(prop, value, "is out of range", f"use {allowed}")

    def seconds_between(self, prop: str, value: cdk.Duration, low: int, high: int) -> None:
        """Notes a problem unless `value` lasts from `low` to `high` seconds."""
        if not value.is_unresolved():
            self.between(f"{prop} (seconds)", value.to_seconds(), low, high)
