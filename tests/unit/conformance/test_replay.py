"""Each way in which a recording can differ from the embedded AWS is named, and only that one."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mistral7b.conformance.recording import Entry
from mistral7b.conformance.replay import compare

EVENTS = [
    {"EventId": "1a", "LogicalResourceId": "Topic", "ResourceStatus": "CREATE_IN_PROGRESS"},
    {"EventId": "2b", "LogicalResourceId": "Topic", "ResourceStatus": "CREATE_COMPLETE"},
]
ENTRY: Entry = {
    **{"step": "7", "operation": "sagemaker.DescribeEndpoint", "request": {}, "status": 200, "error": ""},
    **{"message": "", "watched": "Status", "at": 0.0, "seconds": 900.0},
    "changes": [[1.0, "Creating"], [2.0, "Updating"], [500.0, "InService"]],
    "answer": {
        **{"Status": "InService", "Count": 1, "Enabled": True, "At": "2026-01-01T10:00:00+00:00", "Name": "one"},
        "Variants": [{"Type": "ml.g5.2xlarge"}, {"Type": "ml.g5.4xlarge"}],
        **{"Config": {"Mode": "Input"}, "StackEvents": EVENTS},
    },
}
REFUSED = {**ENTRY, "status": 400, "error": "ValidationException", "message": "no such thing", "answer": {}}


def setting(*path: Any, value: Any) -> Callable[[Entry], None]:
    def change(entry: Entry) -> None:
        *way, last = path
        for one in way:
            entry = entry[one]
        entry[last] = value

    return change


def without(*path: Any) -> Callable[[Entry], None]:
    def change(entry: Entry) -> None:
        *way, last = path
        for one in way:
            entry = entry[one]
        del entry[last]

    return change


DIFFERENCES: dict[str, tuple[Entry, Callable[[Entry], None], str, str]] = {
    "status": (ENTRY, setting("status", value=202), "status", ""),
    "status of a refusal": (REFUSED, setting("status", value=404), "status", ""),
    "code": (REFUSED, setting("error", value="ResourceNotFound"), "error", ""),
    "message, as a remark": (REFUSED, setting("message", value="it is absent"), "message", ""),
    "missing field": (ENTRY, without("answer", "Count"), "missing", ".Count"),
    "missing nested field": (ENTRY, without("answer", "Config", "Mode"), "missing", ".Config.Mode"),
    "additional field": (ENTRY, setting("answer", "More", value=1), "additional", ".More"),
    "additional nested field": (ENTRY, setting("answer", "Config", "More", value=1), "additional", ".Config.More"),
    "text for a number": (ENTRY, setting("answer", "Count", value="1"), "type", ".Count"),
    "text for a truth value": (ENTRY, setting("answer", "Enabled", value="true"), "type", ".Enabled"),
    "number for a time": (ENTRY, setting("answer", "At", value=1767261600), "type", ".At"),
    "object for a list": (ENTRY, setting("answer", "Variants", value={}), "type", ".Variants"),
    "null": (ENTRY, setting("answer", "Config", value=None), "type", ".Config"),
    "another state": (ENTRY, setting("answer", "Status", value="Failed"), "value", ".Status"),
    "another truth value": (ENTRY, setting("answer", "Enabled", value=False), "value", ".Enabled"),
    "fewer items": (ENTRY, without("answer", "Variants", 0), "value", ".Variants"),
    "order of events": (ENTRY, setting("answer", "StackEvents", value=EVENTS[::-1]), "order", ".StackEvents"),
    "missing event": (ENTRY, without("answer", "StackEvents", 0), "order", ".StackEvents"),
    "order of states": (
        *(ENTRY, setting("changes", value=[[1.0, "Updating"], [2.0, "Creating"], [3.0, "InService"]])),
        *("order", ""),
    ),
    "another last state": (ENTRY, setting("changes", -1, 1, value="Failed"), "order", ""),
    "a state that took minutes": (ENTRY, without("changes", 1), "latency", ""),
    "no permission": (ENTRY, setting("not_recorded", value="needs x"), "error", ""),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_named(name: str) -> None:
    recorded, change, kind, where = DIFFERENCES[name]
    other = copy.deepcopy(recorded)
    change(other)
    assert {(one.step, one.operation, one.kind, one.where) for one in compare(recorded, other)} == {
        ("7", "sagemaker.DescribeEndpoint", kind, where)
    }


def test_times_ids_and_the_order_of_other_lists_are_no_difference() -> None:
    other = copy.deepcopy(ENTRY)
    other["answer"] |= {"At": "2027-01-01T10:00:00+00:00", "Variants": ENTRY["answer"]["Variants"][::-1]}
    other["changes"] = [[1.0, "Updating"], [2.0, "InService"]]  # a short state may not be seen
    assert list(compare(ENTRY, other)) == []
