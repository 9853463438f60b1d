"""Speed, memory and agreement of the fleet simulation's two engines.

Run `python benchmarks/simulation.py`. Each measurement is a process of its own on one core, so that its peak memory is
its own. Exit status 1 if a budget is missed: a million requests exactly in 90 s and 2 GB, a day of 100 million with the
fast engine in 60 s and 2 GB, fast within 5% of exact, cost linear in requests.
"""

import json
import os
import resource
import subprocess
import sys
import time
from heapq import heappop, heappush

from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.fleet import (
    Fleet,
    LognormalLength,
    PoissonTrace,
    Policy,
    Summary,
    bin_trace,
    daily,
    measure_service,
    ramp,
    simulate,
    simulate_fast,
)
from mistral7b.capacity.memory import benchmark_limits

INPUTS, OUTPUTS = LognormalLength(300, 900, 4000), LognormalLength(150, 400, 4000)
MEGABYTES_PER_MAXRSS = 1 / 1024 if sys.platform == "linux" else 1 / 2**20
DAY = 86_400.0


def fleet() -> Fleet:
    """ml.g5.2xlarge with JumpStart's settings."""
    return Fleet(published_calibration().parameters, benchmark_limits())


def ramp_trace(requests: float) -> PoissonTrace:
    """20 to 180 requests a second, for as long as makes so many."""
    return PoissonTrace(ramp(20, 180, requests / 100), requests / 100, INPUTS, OUTPUTS, seed=1)


def day_trace(requests: float) -> PoissonTrace:
    """A day with so many requests, six times as many by day as by night."""
    mean = requests / DAY
    return PoissonTrace(daily(mean * 2 / 7, mean * 12 / 7), DAY, INPUTS, OUTPUTS, seed=1)


def exact(requests: float) -> dict[str, object]:
    """The exact engine over up to 50 instances that scale, against the least that any event simulation does."""
    trace = ramp_trace(requests)
    policy = Policy("concurrency", 5, 50, "concurrency", 16.0, 60.0, 300.0)
    began = time.perf_counter()
    summary = simulate(trace, fleet(), policy).summary
    seconds = time.perf_counter() - began
    return figures(summary, seconds) | {"ratio": seconds / event_floor(int(summary.requests))}


def event_floor(requests: int) -> float:
    """Seconds to push and pop three events a request (arrival, first token, end) through a heap of 1,000, no more."""
    began = time.perf_counter()
    heap: list[tuple[float, int]] = []
    for number in range(3 * requests):
        heappush(heap, ((number * 7919 % 1000) + number, number))
        if len(heap) > 1000:
            heappop(heap)
    return time.perf_counter() - began


def fast(requests: float) -> dict[str, object]:
    """The fast engine over a day, trace and measuring included."""
    trace = day_trace(requests)
    most = int(5000 * requests / 100e6)
    began = time.perf_counter()
    binned = bin_trace(trace)
    counted = time.perf_counter()
    curve = measure_service(fleet(), binned.sample)
    measured = time.perf_counter()
    policy = Policy("concurrency", most // 50, most, "concurrency", 2.0, 60.0, 300.0)
    summary = simulate_fast(binned, curve, fleet(), policy).summary
    ended = time.perf_counter()
    parts = {"counting": counted - began, "measuring": measured - counted, "flowing": ended - measured}
    return figures(summary, ended - began) | {"parts": parts}


def agreement(metric: str, target: float) -> dict[str, object]:
    """Both engines on a day of half a million requests under auto scaling."""
    trace, policy = day_trace(500_000), Policy(metric, 1, 20, metric, target, 60.0, 300.0)  # type: ignore[arg-type]
    began = time.perf_counter()
    one = simulate(trace, fleet(), policy).summary
    middle = time.perf_counter()
    binned = bin_trace(trace)
    other = simulate_fast(binned, measure_service(fleet(), binned.sample), fleet(), policy).summary
    ended = time.perf_counter()
    return {"exact": figures(one, middle - began), "fast": figures(other, ended - middle)}


def figures(summary: Summary, seconds: float) -> dict[str, object]:
    """What is printed of a run."""
    return {
        "requests": summary.requests,
        "seconds": seconds,
        "per_second": summary.requests / seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEGABYTES_PER_MAXRSS,
        "instances": summary.most_instances,
        "p50": summary.latency_s[0],
        "p95": summary.latency_s[1],
        "hours": summary.instance_hours,
        "refused": summary.refused / summary.requests,
        "timed_out": summary.timed_out / summary.requests,
    }


MEASUREMENTS = {
    "exact": lambda arguments: exact(float(arguments[0])),
    "fast": lambda arguments: fast(float(arguments[0])),
    "agreement": lambda arguments: agreement(arguments[0], float(arguments[1])),
}


def alone(*arguments: str) -> dict[str, object]:
    """A measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def main() -> int:
    """Runs all of it; 1 if a budget is missed."""
    missed = report_exact() + report_fast() + report_agreement()
    print("\n" + ("\n".join(f"MISSED: {budget}" for budget in missed) if missed else "every budget is kept"))
    return 1 if missed else 0


def report_exact() -> list[str]:
    """Three sizes of the exact engine."""
    print("exact engine, 5 to 50 instances under auto scaling")
    print("   requests   seconds   requests/s     MB   instances   times the bare events")
    runs = [alone("exact", str(size)) for size in (250_000, 500_000, 1_000_000)]
    for run in runs:
        print(
            f"{run['requests']:11,.0f} {run['seconds']:9.1f} {run['per_second']:12,.0f} {run['megabytes']:6.0f} "
            f"{run['instances']:11} {run['ratio']:23.1f}"
        )
    return budgets(runs, 90, 2048) + linear(runs)


def report_fast() -> list[str]:
    """Three sizes of the fast engine."""
    print("\nfast engine, a day")
    print("   requests   seconds   requests/s     MB   instances   counting + measuring + flowing")
    runs = [alone("fast", str(size)) for size in (10e6, 30e6, 100e6)]
    for run in runs:
        parts = " + ".join(f"{seconds:.1f}" for seconds in run["parts"].values())  # type: ignore[attr-defined]
        print(
            f"{run['requests']:11,.0f} {run['seconds']:9.1f} {run['per_second']:12,.0f} {run['megabytes']:6.0f} "
            f"{run['instances']:11}   {parts}"
        )
    return budgets(runs, 60, 2048)


def report_agreement() -> list[str]:
    """The fast engine's figures beside the exact ones."""
    missed = []
    print("\nfast against exact, a day of half a million requests")
    print("policy            engine   seconds    p50 s    p95 s   instance-hours   refused   timed out")
    for metric, target in (("concurrency", "16"), ("invocations", "120")):
        both = alone("agreement", metric, target)
        for engine, run in both.items():
            print(
                f"{metric + ':' + target:17} {engine:6} {run['seconds']:9.1f} {run['p50']:8.2f} {run['p95']:8.2f} "  # type: ignore[index]
                f"{run['hours']:16.1f} {100 * run['refused']:8.3f}% {100 * run['timed_out']:9.3f}%"  # type: ignore[index]
            )
        missed += disagreements(metric, both["exact"], both["fast"])  # type: ignore[arg-type]
    return missed


def disagreements(policy: str, one: dict[str, float], other: dict[str, float]) -> list[str]:
    """Latency and hours more than 5% apart, shares of requests more than half a point."""
    apart = [f"{policy}: {key}" for key in ("p50", "p95", "hours") if abs(other[key] / one[key] - 1) > 0.05]
    return apart + [f"{policy}: {key}" for key in ("refused", "timed_out") if abs(other[key] - one[key]) > 0.005]


def budgets(runs: list[dict[str, object]], seconds: float, megabytes: float) -> list[str]:
    """What the last, largest run takes too much of."""
    limits = {"seconds": seconds, "megabytes": megabytes}
    return [f"{key} {runs[-1][key]:.0f} > {limit}" for key, limit in limits.items() if runs[-1][key] > limit]  # type: ignore[operator]


def linear(runs: list[dict[str, object]]) -> list[str]:
    """Whether a request of the largest run takes much longer than one of the smallest."""
    growth = float(runs[0]["per_second"]) / float(runs[-1]["per_second"])  # type: ignore[arg-type]
    return [f"a request takes {growth:.2f} times as long in the largest run"] if growth > 1.5 else []


if __name__ == "__main__":
    if len(sys.argv) > 1:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(json.dumps(MEASUREMENTS[sys.argv[1]](sys.argv[2:])))
    else:
        sys.exit(main())
