"""The recording of the demo in docs/images. tests/e2e/test_demo.py compares its steps with a run's."""

import re
from pathlib import Path

import pytest

from tools.record_demo import COLUMNS, HOLD, LONGEST, edited, steps, times

RECORDING = (Path(__file__).parents[3] / "docs" / "images" / "demo.svg").read_text(encoding="utf-8")
PRINTED = """
[1] Deploy
    $ cdk deploy 'dev/*'
    … 6 s: mistral-7b-dev-endpoint | 0/26
    done in 5.6 s: it is InService

[2] Send every example prompt
    hello (en)
    > Hello!
    10 prompt tokens, 78 generated in 0.024 s, ended by eos_token

    knowledge (en)
    > Which country?

    done in 0.9 s: every prompt is answered

[3] Prove that nothing is left
    done in 2.0 s: the same 17 resources as before

step                                       seconds  result
Deploy                                         5.6  it is InService
"""


@pytest.fixture
def shown() -> list[str]:
    return [line for _, line in edited([(float(at), line) for at, line in enumerate(PRINTED.splitlines())])]


def test_recording_loops_in_20_to_30_seconds() -> None:
    [seconds] = set(re.findall(r"animation: \w+ ([\d.]+)s", RECORDING))
    assert 20 <= float(seconds) <= 30


def test_recording_has_no_seconds_and_no_counts_of_resources() -> None:
    assert not re.search(r"\d s\b|\d resources", "\n".join(re.findall(r"<text[^>]*>([^<]*)<", RECORDING)))


def test_recording_needs_no_other_file() -> None:
    assert "href" not in RECORDING
    assert "@import" not in RECORDING


def test_seconds_progress_and_the_final_table_are_left_out(shown: list[str]) -> None:
    assert shown[:4] == ["$ mistral7b demo", "", "[1] Deploy", "    $ cdk deploy 'dev/*'"]
    assert shown[4] == "    done: it is InService"
    assert shown[-1] == "    done: the same resources as before"


def test_first_example_stands_for_all(shown: list[str]) -> None:
    assert "    > Hello!" in shown
    assert "    > Which country?" not in shown
    assert "    done: every prompt is answered" in shown


def test_long_lines_end_in_an_ellipsis() -> None:
    [_, line] = edited([(1.0, "x" * 300)])
    assert line[1] == "x" * (COLUMNS - 1) + "…"


def test_waits_are_shortened() -> None:
    first, last = times([(0.0, "a"), (100.0, "b")])
    assert last - first == LONGEST < HOLD


def test_titles_of_steps_are_read_from_a_recording() -> None:
    assert steps('<text class="step" y="1">[1] Deploy &amp; wait</text>\n<text>$ cdk deploy</text>') == [
        "Deploy & wait"
    ]
