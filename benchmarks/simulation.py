"""Speed and memory of the fleet simulation.

Run `python benchmarks/simulation.py`. Each measurement is a process of its own on one core, so that its peak memory is
its own. Exit status 1 if a budget is missed: a million requests in 90 s and 2 GB, cost linear in requests.
"""

import json
import os
import resource
import subprocess
import sys
import time
from heapq import heappop, heappush

from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.fleet.arrivals import poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import simulate
from mistral7b.capacity.fleet.trace import Trace
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.workload import TokenSpread
from scaling_rules import Policy

INPUTS, OUTPUTS = TokenSpread(mean=300, p95=900, longest=4000), TokenSpread(mean=150, p95=400, longest=4000)
MEGABYTES_PER_MAXRSS = 1 / 1024 if sys.platform == "linux" else 1 / 2**20


def fleet() -> Fleet:
    """ml.g5.2xlarge with JumpStart's settings."""
    return Fleet(published_calibration().parameters, benchmark_limits())


def ramp_trace(requests: float) -> Trace:
    """20 to 180 requests a second, for as long as makes so many."""
    seconds = requests / 100
    return poisson_trace(rate_over_time("ramp", 20, 180, seconds), seconds, INPUTS, OUTPUTS, seed=1)


def measure(requests: float) -> dict[str, float]:
    """Up to 50 instances that scale, against the least that any event simulation does."""
    trace = ramp_trace(requests)
    policy = Policy("concurrency", 5, 50, "concurrency", 16.0, 60.0, 300.0)
    began = time.perf_counter()
    summary = simulate(trace, fleet(), policy).summary
    seconds = time.perf_counter() - began
    return {
        "requests": summary.requests,
        "seconds": seconds,
        "per_second": summary.requests / seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEGABYTES_PER_MAXRSS,
        "instances": summary.most_instances,
        "ratio": seconds / event_floor(int(summary.requests)),
    }


def event_floor(requests: int) -> float:
    """Seconds to push and pop three events a request (arrival, first token, end) through a heap of 1,000, no more."""
    began = time.perf_counter()
    heap: list[tuple[float, int]] = []
    for number in range(3 * requests):
        heappush(heap, ((number * 7919 % 1000) + number, number))
        if len(heap) > 1000:
            heappop(heap)
    return time.perf_counter() - began


def alone(requests: int) -> dict[str, float]:
    """A measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, str(requests)], check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> int:
    """Measures three sizes; 1 if a budget is missed."""
    print("5 to 50 instances under auto scaling")
    print("   requests   seconds   requests/s     MB   instances   times the bare events")
    runs = [alone(size) for size in (250_000, 500_000, 1_000_000)]
    for run in runs:
        print(
            f"{run['requests']:11,.0f} {run['seconds']:9.1f} {run['per_second']:12,.0f} {run['megabytes']:6.0f} "
            f"{run['instances']:11} {run['ratio']:23.1f}"
        )
    missed = missed_budgets(runs)
    print("\n" + ("\n".join(f"MISSED: {budget}" for budget in missed) if missed else "every budget is kept"))
    return 1 if missed else 0


def missed_budgets(runs: list[dict[str, float]]) -> list[str]:
    """What the largest run takes too much of, and whether its requests take much longer than the smallest run's."""
    limits = {"seconds": 90, "megabytes": 2048}
    missed = [f"{key} {runs[-1][key]:.0f} > {limit}" for key, limit in limits.items() if runs[-1][key] > limit]
    growth = runs[0]["per_second"] / runs[-1]["per_second"]
    return missed + ([f"a request takes {growth:.2f} times as long in the largest run"] if growth > 1.5 else [])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(json.dumps(measure(float(sys.argv[1]))))
    else:
        sys.exit(main())
