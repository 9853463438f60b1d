"""Actions of alarms that are not notifications."""

from collections.abc import Callable

from moto.cloudwatch.models import Alarm

Act = Callable[[Alarm, float, float], None]
ACTIONS: dict[str, Act] = {}


def on_action(prefix: str, act: Act) -> None:
    """Calls `act` with the alarm, the metric's value and the time for each invoked action whose ARN begins so."""
    ACTIONS[prefix] = act
