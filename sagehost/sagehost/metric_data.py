"""Data of CloudWatch metrics, which are kept for six hours, statistics, and metric math."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sagehost.aws_errors import Refused

KEPT_S = 6 * 3600

Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions."""
Values = Counter[float]
"""How often each value was measured."""


def metric_of(named: Mapping[str, Any]) -> Metric:
    """The metric that a request names."""
    dimensions = named.get("Dimensions") or ()
    return named["Namespace"], named["MetricName"], frozenset((one["Name"], one["Value"]) for one in dimensions)


class MetricData(dict[tuple[Metric, str], dict[int, Values]]):
    """The data of all metrics of an account in a region: by metric and unit, and by second."""

    def measured(self, metric: Metric, unit: str | None, periods: range) -> Mapping[int, Values]:
        """The values of the periods that have some, by when these begin; of all units unless one is given."""
        found = defaultdict[int, Values](Values)
        covered = range(periods.start, periods.start + len(periods) * periods.step)
        for data in [data for (one, its), data in self.items() if one == metric and unit in (None, its)]:
            for second in min(covered, data, key=len):
                if second in data and second in covered:
                    found[second - (second - periods.start) % periods.step].update(data[second])
        return found

    def results(self, queries: Mapping[str, Mapping[str, Any]], wanted: str, periods: range) -> Mapping[int, float]:
        """The results of one of the queries for the periods that have one, by when these begin."""
        if stat := queries[wanted].get("MetricStat"):
            values = self.measured(metric_of(stat["Metric"]), stat.get("Unit"), periods)
            return {at: statistic(one, stat["Stat"]) for at, one in values.items()}
        names, calculate = compiled(queries[wanted]["Expression"])
        others = {name: one for name, one in queries.items() if name != wanted}
        if unknown := names - others.keys():
            told = f"The expression of {wanted} names unknown ids, or itself: {sorted(unknown)}"
            raise Refused("ValidationError", told)
        of = {name: self.results(others, name, periods) for name in names}
        found = {at: calculate({name: of[name].get(at) for name in names}) for at in periods}
        return {at: value for at, value in found.items() if value is not None}


def statistic(values: Values, name: str) -> float:
    """A statistic of values, of which there is at least one."""
    count = float(values.total())
    if name.startswith("p"):
        rank = count * float(name[1:]) / 100
        return next((one for one in sorted(values) if (rank := rank - values[one]) < 0), max(values))
    if name in ("Minimum", "Maximum"):
        return min(values) if name == "Minimum" else max(values)
    total = sum(value * number for value, number in values.items())
    return {"SampleCount": count, "Sum": total, "Average": total / count}[name]


_TOKEN = re.compile(
    r"\d+(\.\d+)?|[a-z]\w*|\b(AND|OR)\b|\b(FILL|IF)\(|[-+(),\s]|([*/])(?!\4)|[<>]=?(?![<>])|[=!]=|&&|\|\|"
)
_FUNCTIONS = {
    "FILL": lambda value, other: other if value is None else value,
    "IF": lambda condition, then, otherwise: then if condition else otherwise,
}


@cache
def compiled(expression: str) -> tuple[frozenset[str], Callable[[Mapping[str, float | None]], float | None]]:
    """The ids that an expression names, and how it is calculated from their values. Raises NotImplementedError.

    The result is missing where it divides by 0, or needs a missing value that FILL does not fill.
    """
    names = frozenset(re.findall(r"\b[a-z]\w*", expression))
    needed = re.findall(r"\b[a-z]\w*", re.sub(r"FILL\(\s*[a-z]\w*", "", expression))
    text = re.sub(r"&&|\bAND\b", " and ", re.sub(r"\|\||\bOR\b", " or ", expression)).strip()

    def calculate(values: Mapping[str, float | None]) -> float | None:
        if any(values[name] is None for name in needed):
            return None
        try:  # It consists of the tokens above.
            return float(eval(code, {"__builtins__": {}, **_FUNCTIONS}, dict(values)))
        except ArithmeticError:
            return None

    try:
        code = compile(text if not _TOKEN.sub("", expression) else "", expression, "eval")
        calculate(dict.fromkeys(names, 1.0))
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise NotImplementedError(f"the expression {expression}") from error
    return names, calculate
