"""Sends the requests of a recording again, to the embedded AWS, and names each difference between the answers."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from mistral7b.conformance.recording import Entry, Recorder
from mistral7b.conformance.redaction import OWN_ACCOUNT, Redactor
from mistral7b.conformance.scenario import call, poll
from mistral7b.operate.calls import Client

SLOW_S = 60.0
"""A state that lasts this long is one that callers have to wait for."""
PATIENCE_S = 60.0
"""How long a replay waits for the state that was recorded last."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*")
_PASSING = re.compile(r".*(_PROGRESS|ing|PENDING)", re.IGNORECASE)


@dataclass(frozen=True)
class Difference:
    """Where the embedded AWS answers differently than AWS did."""

    step: str
    operation: str
    kind: str
    """`status`, `error`, `missing`, `additional`, `type`, `value`, `order` or `latency`; `message` is only a remark."""
    where: str
    recorded: Any
    replayed: Any

    def __str__(self) -> str:
        where = f" {self.where}" if self.where else ""
        return f"{self.step}: {self.kind}{where}: recorded {self.recorded!r}, replayed {self.replayed!r}"


def replay(recorded: list[Entry], events: Any, client: Client, account: str) -> Iterator[Difference]:
    """The differences, one request after the other. `events`: of the session whose clients `client` makes."""
    answers: list[Entry] = []
    recorder = Recorder(answers.append, Redactor(account))
    recorder.attach(events)
    learnt: dict[str, str] = {}
    for entry in recorded:
        if "not_recorded" in entry:
            continue
        text, replaced = json.dumps(entry["request"]), learnt | {OWN_ACCOUNT: account}
        for before in sorted(replaced, key=len, reverse=True):
            text = text.replace(before, replaced[before])
        watched = entry.get("watched", "")
        answers.clear()
        recorder.begin(entry["step"], entry["error"], watched)
        ask = partial(call, client, entry["operation"], json.loads(text))
        if watched:
            for _ in poll(ask, watched, re.escape(str(entry["changes"][-1][1])), PATIENCE_S):
                pass
        else:
            ask()
        recorder.flush()
        if not answers:
            reason = "botocore does not know the operation"
            yield Difference(entry["step"], entry["operation"], "error", "", entry["error"], reason)
            continue
        answer = json.loads(json.dumps(answers[0]))
        _learn(entry["answer"], answer.get("answer"), learnt)
        yield from compare(entry, answer)


def _learn(before: Any, after: Any, learnt: dict[str, str]) -> None:
    """Learns which id of the replay stands for which of the recording: what is text with digits, at the same place."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() & after.keys():
            _learn(before[key], after[key], learnt)
    elif isinstance(before, list) and isinstance(after, list):
        for pair in zip(_in_order(before), _in_order(after), strict=False):
            _learn(*pair, learnt)
    elif isinstance(before, str) and isinstance(after, str) and before != after and _is_id(before):
        learnt[before] = after


def _is_id(text: str) -> bool:
    return len(text) > 7 and " " not in text and bool(re.search(r"\d", text)) and not _TIME.fullmatch(text)


def compare(recorded: Entry, replayed: Entry) -> Iterator[Difference]:
    """How the entries of one request differ. Times, ids and texts of several words are not compared."""
    found = partial(Difference, recorded["step"], recorded["operation"])
    if "not_recorded" in replayed:
        yield found("error", "", recorded["error"], replayed["not_recorded"])
        return
    for kind in ("status", "error", "message"):
        if _shape(recorded[kind]) != _shape(replayed[kind]):
            yield found(kind, "", recorded[kind], replayed[kind])
    if recorded["error"] == replayed["error"]:
        for kind, where, before, after in _fields("", recorded["answer"], replayed["answer"]):
            yield found(kind, where, before, after)
    if "changes" in recorded:
        yield from _states(recorded["changes"], [value for _, value in replayed["changes"]], found)


def _shape(value: Any) -> Any:
    """A text without its ids and numbers."""
    return re.sub(r"[\w:/.<>-]*\d[\w:/.<>-]*", "#", value) if isinstance(value, str) else value


def _fields(where: str, before: Any, after: Any) -> Iterator[tuple[str, str, Any, Any]]:
    if _type(before) != _type(after):
        yield "type", where, before, after
    elif isinstance(before, dict):
        yield from (("missing", f"{where}.{key}", before[key], None) for key in before.keys() - after.keys())
        yield from (("additional", f"{where}.{key}", None, after[key]) for key in after.keys() - before.keys())
        for key in before.keys() & after.keys():
            yield from _fields(f"{where}.{key}", before[key], after[key])
    elif isinstance(before, list):
        yield from _items(where, before, after)
    elif before != after and (isinstance(before, bool) or all(_WORD.fullmatch(str(one)) for one in (before, after))):
        yield "value", where, before, after


def _items(where: str, before: list[Any], after: list[Any]) -> Iterator[tuple[str, str, Any, Any]]:
    if _are_events(before) and _order(before) != _order(after):
        yield "order", where, _order(before), _order(after)
    elif len(before) != len(after):
        yield "value", where, f"{len(before)} items", f"{len(after)} items"
    else:
        for number, pair in enumerate(zip(_in_order(before), _in_order(after), strict=True)):
            yield from _fields(f"{where}[{number}]", *pair)


def _are_events(items: list[Any]) -> bool:
    return any(isinstance(one, dict) and "EventId" in one for one in items)


def _in_order(items: list[Any]) -> list[Any]:
    """Events as they are; what else AWS lists may come in any order."""

    def key(one: Any) -> tuple[str, str]:
        return one.get("LogicalResourceId", "") if isinstance(one, dict) else "", str(_shape(json.dumps(one)))

    return items if _are_events(items) else sorted(items, key=key)


def _order(events: list[Any]) -> list[tuple[Any, Any]]:
    own = [one.get("LogicalResourceId") == one.get("StackName") for one in events]
    names = ["(stack)" if is_own else one.get("LogicalResourceId") for is_own, one in zip(own, events, strict=True)]
    return [(name, one.get("ResourceStatus")) for name, one in zip(names, events, strict=True)]


def _type(value: Any) -> str:
    if isinstance(value, str):
        return "time" if _TIME.fullmatch(value) else "text"
    return "number" if type(value) in (int, float) else type(value).__name__


def _states(changes: list[Any], after: list[Any], found: Any) -> Iterator[Difference]:
    """States that come in another order, and those that took long and did not appear."""
    before = [value for _, value in changes]
    rest = iter(before)
    later = after[1:] if len(after) > 1 and after[0] not in before else after  # such as not found, before it is there
    known = [one for one in later if one in before or not _PASSING.fullmatch(str(one))]
    if not all(one in rest for one in known) or after[-1] != before[-1]:
        yield found("order", "", before, after)
    for (since, value), (until, _) in pairwise(changes):
        if until - since >= SLOW_S and value not in after:
            yield found("latency", "", f"{value} for {until - since:.0f} s", after)
