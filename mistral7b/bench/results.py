"""Figures from a run's requests: each with its 95% interval, or withheld where the generator was too slow for it.

Quantiles have the interval between two order statistics, which holds for any distribution (J.-Y. Le Boudec,
Performance Evaluation of Computer and Communication Systems, 2010, section 2.2); rates that of the mean latency.
Requests in flight together have much in common: the means of ten batches tell how much wider intervals are for that
(A. M. Law, Simulation Modeling and Analysis, 2015, section 9.5.3).
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, median, stdev, variance
from typing import Any

from mistral7b.bench.plan import RECORDS, WARM_UP, Cell

LEVELS = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
MOST_LAG, LEAST_LAG_S = 0.01, 0.002
"""How late the generator may be on average: 1% of a median time, or 2 ms."""
BATCHES, _Z, _T = 10, 1.96, 2.26  # 95% of a normal distribution, and of a t distribution of ten batches
Record = dict[str, Any]
Value = dict[str, float | None]
"""A figure's `value`, and `low` and `high`, between which it is with 95%. None: so few requests do not tell."""


def quantile(values: Sequence[float], level: float, wider: float = 1.0) -> Value:
    """A quantile of sorted values, its interval so much wider than of values that are independent."""
    count = len(values)
    place, spread, at = count * level, wider * _Z * math.sqrt(count * level * (1 - level)), (count - 1) * level
    below, above = math.floor(place - spread), math.ceil(place + spread) + 1
    low, high = values[math.floor(at)], values[math.ceil(at)]
    bounds = {"low": values[below - 1] if below >= 1 else None, "high": values[above - 1] if above <= count else None}
    return {"value": low + (high - low) * (at % 1)} | bounds


def widening(values: Sequence[float]) -> float:
    """How much wider the interval of a mean is than of independent values: by batch means, of values in their order."""
    size = len(values) // BATCHES
    if size < 2 or not (spread := variance(values)):
        return 1.0
    means = [fmean(values[number * size : (number + 1) * size]) for number in range(BATCHES)]
    return max(1.0, _T / _Z * math.sqrt(size * variance(means) / spread))


def measured(folder: Path, plan: Record) -> tuple[list[Record], str]:
    """The loads that were begun, as docs/benchmark.md lists them, and how the run ended.

    That is complete, budget, no answers, or else interrupted.
    """
    requests, processes = defaultdict[int, list[Record]](list), defaultdict[int, list[Record]](list)
    begun, ended, ending = dict[int, float](), set[int](), "interrupted"
    file = folder / RECORDS
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        one = json.loads(line)
        if "ending" in one:
            ending = one["ending"]
        elif "begun" in one:
            begun[one["begun"]] = one["at"]
        elif "ended" in one:
            ended.add(one["ended"])
        else:
            (requests if "began" in one else processes)[one["cell"]].append(one)
    loads = []
    for number, at in begun.items():
        cell = Cell(**plan["cells"][number])
        load = _load(cell, plan["speed"], at, requests[number], processes[number])
        loads.append({"name": cell.name, "cell": asdict(cell), "complete": number in ended} | load)
    return loads, ending


def _load(cell: Cell, speed: float, at: float, requests: list[Record], processes: list[Record]) -> Record:
    requests.sort(key=lambda one: one["began"])
    counted, rates = (_closed if cell.users else _open)(cell, at, requests, speed)
    lags = [lag for one in processes for lag in one["lags"]], *([one[n] for one in counted] for n in ("late", "behind"))
    lag = sum(fmean(some or [0.0]) for some in lags)
    tokens, failed = [one["tokens"] for one in counted], [one for one in requests if "error" in one]
    times = {
        "latency_s": sorted(speed * one["seconds"] for one in counted),
        "first_token_s": sorted(speed * one["first"] for one in counted if one["first"]),
        "per_token_ms": sorted(1000 * speed * one["seconds"] / max(1, one["tokens"]) for one in counted),
    }
    undriven, figures = "", dict[str, Value]()
    if latency := times["latency_s"]:
        most = max(LEAST_LAG_S, MOST_LAG * median(times["first_token_s"] or latency) / speed)
        if lag > most:
            undriven = f"the generator was {1000 * lag:.1f} ms late, more than {1000 * most:.1f} ms"
        wider = widening([one["seconds"] for one in sorted(counted, key=lambda one: one["began"])])
        noise = stdev(latency) / fmean(latency) if cell.users and len(latency) > 1 else 1.0
        noise *= wider * _Z / math.sqrt(len(latency))
        rates["latency_s_mean"] = fmean(latency)
        figures = {name: {"value": r, "low": r * (1 - noise), "high": r * (1 + noise)} for name, r in rates.items()}
        for name, values in times.items():
            figures |= {f"{name}_{level}": quantile(values, share, wider) for level, share in LEVELS.items() if values}
    return {
        "requests": len(requests),
        "errors": Counter(one["error"] for one in failed),
        "messages": {one["error"]: one["message"] for one in reversed(failed)},
        "counted": len(counted),
        "completion_tokens_mean": fmean(tokens or [0.0]),
        "short_answers": sum(count < cell.answer_tokens for count in tokens),
        "lag_s": lag,
        "undriven": undriven,
        "figures": {} if undriven else figures,
    }


def _closed(cell: Cell, _: float, requests: list[Record], speed: float) -> tuple[list[Record], dict[str, float]]:
    """Each user's answers after its warm-up; tokens and requests a second of whole rounds of each, added up.

    TGI answers users in groups. A window of fixed length would cut a group off or not, as it happens.
    """
    users, counted = defaultdict[object, list[Record]](list), list[Record]()
    rates = {"tokens_per_s": 0.0, "requests_per_s": 0.0}
    for one in requests:
        users[one["process"], one["user"]].append(one)
    for own in users.values():
        if rounds := own[WARM_UP : WARM_UP + cell.counted]:
            began, ended = (one["began"] + one["seconds"] for one in (own[WARM_UP - 1], rounds[-1]))
            answered = [one for one in rounds if "error" not in one]
            rates["tokens_per_s"] += sum(one["tokens"] for one in answered) / ((ended - began) * speed)
            rates["requests_per_s"] += len(answered) / ((ended - began) * speed)
            counted += answered
    return counted, rates


def _open(cell: Cell, at: float, requests: list[Record], speed: float) -> tuple[list[Record], dict[str, float]]:
    """The answers to what was due after the warm-up; tokens and requests a second that were answered then."""
    start = at + cell.counted / WARM_UP / speed
    end, answered = start + cell.counted / speed, [one for one in requests if "error" not in one]
    ended = [one for one in answered if start <= one["began"] + one["seconds"] < end]
    rates = {"tokens_per_s": sum(one["tokens"] for one in ended), "requests_per_s": len(ended)}
    counted = [one for one in answered if start <= one["began"] < end]
    return counted, {name: rate / cell.counted for name, rate in rates.items()}
