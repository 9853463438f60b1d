"""How the checks of accounts are shown: one line each, the fix below it; or as JSON. A failure is exit code 1."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import count
from typing import Any

from rich.text import Text

from mistral7b.errors import FAILED, NO_ACCESS, UserError
from mistral7b.operate.checks import Finding
from mistral7b_cli.output import conclude, progress, say

_STYLES = {"ok": "green", "warning": "yellow", "failure": "bold red", "not checked": "dim"}


def report(make: Callable[[Callable[[list[Finding]], None]], list[Finding]], document: dict[str, Any] | None) -> None:
    """Makes the checks; prints the findings, or adds them to the JSON `document`, and ends with what they come to.

    `make` gets a function that is to be called after each check.

    Raises:
        UserError: something would fail the deployment, or nothing could be checked.
    """
    done = count(1)
    with progress.status("checking the account") as status:
        found = make(lambda _: status.update(f"checking the account: {next(done)} checks are done"))
    counts = Counter[str](one.outcome for one in found)
    if document is not None:
        document["checks"] = [asdict(one) for one in found]
        conclude([one.problem for one in found if one.outcome == "failure"], document)
    else:
        _show(found)
    plural = {"warning": "warnings", "failure": "failures"}
    told = ", ".join(f"{n} {plural.get(one, one) if n > 1 else one}" for one in _STYLES if (n := counts[one]))
    if counts["not checked"] == len(found):
        fix = f"allow {found[0].found.removeprefix('needs ')}"
        raise UserError(f"nothing could be checked\nfix: {fix}", NO_ACCESS, documented=document is not None)
    if counts["failure"]:
        names = dict.fromkeys(one.check for one in found if one.outcome == "failure")
        raise UserError(f"{told}: {', '.join(names)}", FAILED)
    if document is None:
        say(told)


def _show(found: Sequence[Finding]) -> None:
    """Where there are several environments, what is ok is named in one line of each."""
    groups = defaultdict[tuple[str, ...], list[Finding]](list)
    for one in found:
        groups[one.used_by].append(one)
    width = max(len(one.check) for one in found)
    for used_by, group in groups.items():
        fine = [one.check for one in group if one.outcome == "ok"]
        if len(groups) > 1:
            place = f"{group[0].account}, {group[0].region}"
            say(Text(f"{', '.join(used_by)} ({place})", "bold"))
            if len(fine) > 1:
                say(Text.assemble(("ok           ", _STYLES["ok"]), ", ".join(fine)))
        for one in (one for one in group if one.outcome != "ok" or len(groups) == 1 or len(fine) == 1):
            say(Text.assemble((f"{one.outcome:11}  ", _STYLES[one.outcome]), f"{one.check:{width}}  {one}"))
            if one.fix:
                say(f"  fix: {one.fix}")
