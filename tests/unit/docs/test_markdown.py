"""What the generated documents do with text."""

import pytest

from tools.markdown import anchor, cell, linked


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("`auto_scaling.schedule[]`", "auto_scalingschedule"), ("Exit codes", "exit-codes"), ("local up", "local-up")],
)
def test_an_anchor_is_that_of_the_heading(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see docs/scaling.md.", "see [scaling.md](scaling.md)."),
        ("`docs/scaling.md`", "`docs/scaling.md`"),
        ("[scaling](docs/scaling.md)", "[scaling](docs/scaling.md)"),
        ("other/docs/scaling.md", "other/docs/scaling.md"),
    ],
)
def test_the_name_of_a_page_becomes_a_link(text: str, expected: str) -> None:
    assert linked(text) == expected


def test_a_cell_is_one_line_without_bars() -> None:
    assert cell("a | b\n  c") == "a \\| b c"
