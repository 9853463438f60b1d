"""CloudWatch alarms are evaluated on the clock, except at speed `instant`."""

import json
import logging
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from weakref import WeakKeyDictionary

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends

import scaling_rules
from sagehost import moto_app
from sagehost.clock import CLOCK
from sagehost.hosting import metrics  # noqa: F401 - they are put first, then alarms look at them
from sagehost.hosting.endpoints import HOSTED
from sagehost.patches.cloudwatch import ACTIONS, data_of, iso
from scaling_rules.alarm import EXTRA_PERIODS, State

_LOG = logging.getLogger(__name__)

_COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


class _Evaluation:
    """How an alarm, as `DescribeAlarms` shows it, is evaluated until PutMetricAlarm changes it."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._periods, self._missing = told["EvaluationPeriods"], told.get("TreatMissingData", "missing")
        self._points = told.get("DatapointsToAlarm", self._periods)
        self._rule = scaling_rules.Alarm(self._periods, self._points, self._missing)
        (self._compare, self._words), self._threshold = _COMPARISONS[told["ComparisonOperator"]], told["Threshold"]
        stat = {"Metric": told, "Stat": told.get("Statistic") or told.get("ExtendedStatistic")}
        stat |= {key: told[key] for key in ("Period", "Unit") if key in told}
        self._queries = {one["Id"]: one for one in told.get("Metrics") or [{"Id": "", "MetricStat": stat}]}
        self._wanted = next(name for name, one in self._queries.items() if one.get("ReturnData", True))
        self._period = max(one["MetricStat"]["Period"] for one in self._queries.values() if "MetricStat" in one)

    def evaluate(self, alarm: Alarm, backend: CloudWatchBackend, now: float) -> None:
        """Changes the state of the alarm and invokes its scaling actions, if an evaluation is due."""
        every = 60 if self._period >= 60 else 10
        if now % every >= 10:
            return
        end = int(now // every * every)
        periods = range(end - (self._periods + EXTRA_PERIODS) * self._period, end, self._period)
        found = data_of(backend).results(self._queries, self._wanted, periods)
        breaches = [self._compare(found[at], self._threshold) if at in found else None for at in periods]
        self._rule.state = cast("State", alarm.state_value)
        acts = self._rule.evaluate(now, breaches)
        latest = sorted(found.items(), reverse=True)[: self._periods]
        if (state := self._rule.state) != alarm.state_value:
            data = {"version": "1.0", "queryDate": iso(now), "period": self._period, "threshold": self._threshold}
            data |= {"recentDatapoints": [value for _, value in latest[::-1]]}
            data |= {"evaluatedDatapoints": [{"timestamp": iso(at), "value": value} for at, value in latest]}
            alarm.update_state(self._reason(state == "ALARM", latest), json.dumps(data), state)
        for arn in alarm.alarm_actions if acts and latest and alarm.actions_enabled else []:
            if act := ACTIONS.get(arn.split(":")[2]):
                act(alarm, latest[0][1], now)

    def _reason(self, alarm: bool, latest: Sequence[tuple[int, float]]) -> str:
        """Why the state changes, as CloudWatch puts it."""
        total = self._periods
        shown = [(value, at) for at, value in latest if self._compare(value, self._threshold) == alarm]
        if self._rule.state == "INSUFFICIENT_DATA":
            return f"Insufficient Data: {_were(total, 'datapoint')} unknown."
        if not shown:
            received, missing = _were(len(latest), "datapoint"), _were(total - len(latest), "missing datapoint")
            treated = f"{missing} treated as [{'' if alarm else 'Non'}Breaching]"
            return f"Threshold Crossed: {received} received for {total} period{'s' * (total > 1)} and {treated}."
        points = ", ".join(f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for value, at in shown)
        verb = ("was" if len(shown) == 1 else "were") + ("" if alarm else " not")
        least, change = (self._points, "OK -> ALARM") if alarm else (total - self._points + 1, "ALARM -> OK")
        return (
            f"Threshold Crossed: {len(shown)} out of the last {total} datapoints [{points}] {verb} {self._words} the "
            f"threshold ({self._threshold}) (minimum {least} datapoint{'s' * (least > 1)} for {change} transition)."
        )


def _were(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{' was' if number == 1 else 's were'}"


_EVALUATIONS = WeakKeyDictionary[Alarm, _Evaluation]()


def _evaluate(now: float) -> None:
    with moto_app.STATE:
        backends = [one for account in list(cloudwatch_backends) for one in cloudwatch_backends[account].values()]
        for backend in backends if HOSTED.clock else ():
            for alarm in list(backend.alarms.values()):
                try:
                    if alarm not in _EVALUATIONS:
                        cloudwatch = moto_app.client("cloudwatch", backend.account_id, backend.region_name)
                        (described,) = cloudwatch.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"]
                        _EVALUATIONS[alarm] = _Evaluation(described)
                    _EVALUATIONS[alarm].evaluate(alarm, backend, now)
                except Exception:  # noqa: BLE001 - the others are evaluated all the same
                    _LOG.exception("the alarm %s or one of its actions failed", alarm.name)


CLOCK.every(10.0, _evaluate)
