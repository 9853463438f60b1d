"""The checks before a deployment: what each may find, what it has to read, and how all of them run side by side."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.environment import Environment, Problem
from mistral7b.operate.calls import Client, denied, needed
from mistral7b.operate.place import Place
from mistral7b.operate.reads import READS

Outcome = Literal["ok", "warning", "failure", "not checked"]
"""Only a failure would fail the deployment."""

AT_ONCE = 8
"""Requests to AWS."""


@dataclass(frozen=True)
class Finding:
    """What a check found. `run` fills in whose it is."""

    outcome: Outcome
    found: str
    fix: str = ""
    """A command, or what to change in the file."""
    field: str = ""
    """The field of the file that it is about."""
    value: Any = None
    check: str = ""
    used_by: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
    file: str = ""

    def __str__(self) -> str:
        return f"{self.field} = {self.value}: {self.found}" if self.field else self.found

    @property
    def problem(self) -> Problem:
        """The same as of a file."""
        where = self.field or f"{self.check} of {', '.join(self.used_by)} ({self.account}, {self.region})"
        return Problem(self.file, None, where, self.value, self.found, self.fix)


@dataclass(frozen=True)
class Target:
    """What the checks look at: an environment in its place or, for some, the place alone."""

    place: Place
    client: Client
    file: str
    environment: Environment | None = None
    roles: tuple[str, ...] = ()
    """Names of roles that the environment's stacks make."""

    @property
    def env(self) -> Environment:
        """The environment."""
        assert self.environment is not None
        return self.environment


@dataclass(frozen=True)
class Check:
    """One check. Where it finds nothing to tell, it is ok, and `fine` says what is."""

    name: str
    reads: Mapping[str, Sequence[str]]
    """The actions that it takes, by resource."""
    fine: str
    find: Callable[[Target], Iterator[Finding]]

    def __call__(self, target: Target) -> list[Finding]:
        """What it finds. What it may not read, or AWS does not answer, is not checked; never raises for that."""
        found = list[Finding]()
        try:
            found.extend(self.find(target))
        except (ClientError, BotoCoreError) as error:
            actions = [*chain(*self.reads.values())]
            unread = f"needs {needed(error, actions)}" if denied(error) else str(error)
            found.append(Finding("not checked", unread))
        place, env = target.place, target.environment
        whose: dict[str, Any] = {"account": place.account, "region": place.region, "file": target.file}
        whose |= {"check": self.name, "used_by": (env.name,) if env else place.used_by}
        return [replace(one, **whose) for one in found or [Finding("ok", self.fine)]]


def check(name: str, fine: str) -> Callable[[Callable[[Target], Iterator[Finding]]], Check]:
    """Makes a check of the generator that is decorated."""
    return lambda find: Check(name, READS[name], fine, find)


def run(
    checks: Iterable[tuple[Check, Target]], on_done: Callable[[list[Finding]], None] = lambda _: None
) -> list[Finding]:
    """What all of them find, in their order. `on_done` gets each one's findings as they come."""

    def one(pair: tuple[Check, Target]) -> list[Finding]:
        found = pair[0](pair[1])
        on_done(found)
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [*chain(*pool.map(one, checks))]
