"""Your files in environments/: they are valid, pass every check, and deploy what you have accepted.

After an edit, the last test shows what it changes. `make accept` accepts that; commit the files of accepted/ with it.
"""

import sys
from pathlib import Path
from typing import Protocol

import pytest

from tests.environments.templates import Template, accept, accepted, differences

VENV = Path(__file__).parents[2] / ".venv"
ACCEPT = "make accept" if Path(sys.prefix) == VENV else "python3 -m pytest tests/environments --accept"


class Synth(Protocol):
    """One run of the app: see conftest.py."""

    status: int
    said: str
    templates: dict[str, Template]


def test_the_files_are_valid_and_every_stack_passes_its_checks(synth: Synth) -> None:
    if synth.status != 0:
        pytest.fail(f"python3 app.py ended with status {synth.status}\n{synth.said}", pytrace=False)


def test_the_templates_are_the_accepted_ones(synth: Synth, accepting: bool) -> None:
    if synth.status != 0:
        pytest.skip("there are no templates")
    changed = differences(accepted(), synth.templates)
    text = "\n".join(changed)
    if accepting:
        accept(synth.templates)
        print(f"\nAccepted:\n{text}" if changed else "\nNothing changed.")
    elif changed:
        pytest.fail(f"The templates are not the accepted ones:\n\n{text}\n\nTo accept this: {ACCEPT}", pytrace=False)
