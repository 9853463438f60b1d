"""Actions that have run, from a fixed time on."""

from datetime import UTC, datetime, timedelta

from mistral7b_cli.rehearsal.execution import IN_PROGRESS, SUCCEEDED, Action

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def ran(
    stage: str,
    name: str,
    status: str = SUCCEEDED,
    *,
    category: str = "Build",
    after: float = 0.0,
    seconds: float = 1.0,
    reason: str = "",
) -> Action:
    """An action that began so many seconds after the start, and took so many unless it still runs."""
    started = START + timedelta(seconds=after)
    ended = None if status == IN_PROGRESS else started + timedelta(seconds=seconds)
    return Action(stage, name, category, status=status, started=started, ended=ended, reason=reason)
