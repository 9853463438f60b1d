"""Steps as a user sees them."""

import io

from rich.console import Console

from mistral7b_cli.report import Report


def test_without_a_terminal_a_step_prints_its_last_line_every_five_seconds() -> None:
    screen, now = io.StringIO(), 0.0
    report = Report(Console(file=screen, width=100), clock=lambda: now)
    with report.step("Deploy", "cdk deploy") as step:
        for now in range(13):
            report.now(f"  event {now}\n")
        step.result = "InService"
    assert [line.strip() for line in screen.getvalue().strip().splitlines()] == [
        "[1] Deploy",
        "$ cdk deploy",
        "… 5 s: event 5",
        "… 10 s: event 10",
        "done in 12.0 s: InService",
    ]


def test_a_terminal_shows_the_last_line_of_the_step() -> None:
    screen = io.StringIO()
    report = Report(Console(file=screen, width=100, force_terminal=True))
    with report.step("Deploy"):
        report.now("CREATE_COMPLETE")
    assert "CREATE_COMPLETE" in screen.getvalue()
