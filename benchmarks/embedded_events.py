"""What happens on the embedded AWS by itself, under load: a rollback by an alarm, scaling, and an hour of all of it."""

import itertools
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, ClassVar, NamedTuple

import numpy as np
from botocore.exceptions import ClientError, ReadTimeoutError

from benchmarks.embedded_load import NAME, Endpoint, Server, Usage, body, name_of, replay, sampled, server, verdict
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.fleet.arrivals import poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import simulate
from mistral7b.capacity.fleet.policy_spec import parse_policy
from mistral7b.capacity.fleet.trace import Floats, Trace
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.memory import benchmark_limits
from scaling_rules import Policy

SPEED, STARTUP_S = "20", 300.0
SLOWER = {"MAX_WAITING_TOKENS": 100_000, "WAITING_SERVED_RATIO": 1000.0}
"""Nobody joins a running batch: whoever comes waits until all of it have finished."""

CANARY_RATE, CANARY_S, LATENCY_S = 2.0, 2100.0, 6.5
UPDATES = {
    "strategy": "canary",
    "batch_percent": 50,
    "wait_seconds": 480,
    "bake_seconds": 120,
    "rollback_alarms": ["latency", "model_errors"],
}

BURST_S, BURST_RATE, BURST_PEAK, TARGET, MOST = 3600.0, 0.5, 7.5, 8, 4
POLICY = f"concurrency:{TARGET},min=1,max={MOST},out=60,in=300"
CHANGE_S = 60.0
"""Seconds by which a change of the fleet may be earlier or later than simulated: an alarm repeats once a minute."""

HOUR_S, HOUR_RATE, HOUR_PEAK = 3600.0, 1.0, 3.0
MOST_THREADS = 48
"""32 for requests to moto, asyncio's six, and a few that are always there. They start when they are first needed."""
GROWTH = 1.1
"""Memory at the end of the hour, of that at its first third."""


class Outcome(NamedTuple):
    """How a request of a trace ended, and when, in seconds of the clock since the trace began."""

    at: float
    latency: float
    name: str


class Requests:
    """Sends requests and notes their outcomes."""

    def __init__(self, aws: Server) -> None:
        self.outcomes: list[Outcome] = []
        self._aws, self._endpoint, self._began = aws, Endpoint(aws), time.perf_counter()

    def now(self) -> float:
        """Seconds of the clock since the requests began."""
        return (time.perf_counter() - self._began) * self._aws.speed

    def note(self, call: Callable[[], object], name: str = "answered") -> None:
        """Makes a call and notes how it ends: with `name`, or with an error's."""
        began = self.now()
        try:
            call()
        except Exception as error:  # noqa: BLE001 - a thread has no caller
            name = name_of(error)
        self.outcomes.append(Outcome(self.now(), self.now() - began, name))

    def send(self, _: int, prompt: int, answer: int) -> None:
        """One whole answer."""
        request = body(prompt, answer)
        self.note(lambda: self._endpoint.answer(request))

    def p90_of(self, start: float, end: float) -> float:
        """Of the latencies of answers between two times."""
        chosen = [one.latency for one in self.outcomes if start <= one.at < end and one.name == "answered"]
        return float(np.quantile(chosen, 0.9)) if chosen else math.nan

    def tally(self) -> Counter[str]:
        """How many ended how."""
        return Counter(one.name for one in self.outcomes)


def canary() -> int:
    """A canary of slower settings, under load: its own alarm rolls the stack back, and no request is lost."""
    base = {
        "auto_scaling": None,
        "instance": {"count": 2},
        "alarms": {"latency": LATENCY_S},
        "updates": UPDATES,
    }
    # While the old fleet starts again the alarm ends: else CloudFormation's update back would fail by it, too.
    with server(SPEED, SAGEHOST_ENDPOINT_SECONDS=f"{STARTUP_S:g}") as aws:
        aws.deploy(**base)
        trace = _constant(CANARY_RATE, CANARY_S)
        requests, results = Requests(aws), list[tuple[float, float, str, str]]()

        def update() -> None:
            aws.sleep(300)
            began = requests.now()
            status, reason = aws.deploy(**base, tgi=SLOWER)
            results.append((began, requests.now(), status, reason))

        updating = threading.Thread(target=update)
        updating.start()
        late = replay(aws, trace, requests.send)
        updating.join()
        history = aws.client("cloudwatch").describe_alarm_history(HistoryItemType="StateUpdate")["AlarmHistoryItems"]
        endpoint = aws.client("sagemaker").describe_endpoint(EndpointName=NAME)
    [(began, ended, status, reason)] = results
    alarm, tally = f"{NAME}-latency", requests.tally()
    print(f"{trace.times.size} requests, {CANARY_RATE:g} a second, at speed {SPEED}; sent {late:.1f} s late at most")
    print(f"outcomes: {dict(tally)}")
    print(f"update from {began:.0f} s to {ended:.0f} s: {status}\n  {reason}")
    print(f"endpoint: {endpoint['EndpointStatus']}, {endpoint.get('FailureReason', 'no FailureReason')}")
    for name, start, end in (("before", 60.0, began), ("during", began, ended), ("after", ended + 60, CANARY_S)):
        worst = max(requests.p90_of(at, at + 60) for at in range(int(start), int(end), 60))
        print(f"p90 of a minute {name} the update: {worst:.1f} s at most (alarm above {LATENCY_S:g} s)")
    for item in history:
        print(f"  {item['Timestamp']:%H:%M:%S} {item['AlarmName']}: {item['HistorySummary']}")
    return verdict([
        (f"the stack is {status}", status == "UPDATE_ROLLBACK_COMPLETE"),
        (f"{reason!r} does not name {alarm}", f"alarm {alarm} is in ALARM" in reason),
        (f"{tally.total() - tally['answered']} requests were not answered", set(tally) == {"answered"}),
    ])  # fmt: skip


def scaling() -> int:
    """A burst: instances over time against `simulate` on the same arrivals.

    Its loads are far from where rounding up decides on an instance more: there, both decide by chance.
    """
    trace = _traffic("burst", BURST_RATE, BURST_PEAK, BURST_S)
    fleet = Fleet(published_calibration().parameters, benchmark_limits(), STARTUP_S)
    policy = parse_policy(POLICY, Policy("", 1, MOST))
    simulated = simulate(trace, fleet, policy)
    seen = list[tuple[float, int, int]]()
    with server(SPEED, SAGEHOST_ENDPOINT_SECONDS=f"{STARTUP_S:g}") as aws:
        aws.deploy(auto_scaling={
            "min_instances": 1, "max_instances": MOST, "target_concurrent_requests": TARGET,
            "scale_out_cooldown_seconds": 60, "scale_in_cooldown_seconds": 300,
        })  # fmt: skip
        sagemaker, requests = aws.client("sagemaker"), Requests(aws)

        def look(_: float) -> None:
            [variant] = sagemaker.describe_endpoint(EndpointName=NAME)["ProductionVariants"]
            seen.append((requests.now(), variant["DesiredInstanceCount"], variant["CurrentInstanceCount"]))

        with sampled(5 / aws.speed, look):
            late = replay(aws, trace, requests.send)
        activities = aws.client("application-autoscaling").describe_scaling_activities(ServiceNamespace="sagemaker")
    times, desired, serving = (np.array(one) for one in zip(*seen, strict=True))
    timeline = simulated.timeline
    rows = {"desired": (desired, timeline.capacity), "serving": (serving, timeline.in_service)}
    print(f"{POLICY}; {trace.times.size} requests, {BURST_RATE:g} to {BURST_PEAK:g} a second, sent {late:.1f} s late")
    print(f"simulated: {simulated.summary.answered:.0f} answered; embedded: {dict(requests.tally())}")
    bars = []
    for name, (ours, theirs) in rows.items():
        bars += _compared(name, _changes(times, ours), _changes(timeline.times, theirs), judged=name == "desired")
    for one in reversed(activities["ScalingActivities"]):
        print(f"  {one['StartTime']:%H:%M:%S} {one['StatusCode']}: {one['Description']} {one['Cause'][:120]}")
    return verdict(bars)


def _changes(times: Floats, counts: Floats) -> list[tuple[float, int]]:
    """When a count became what, from its first value on."""
    places = [0, *(np.flatnonzero(np.diff(counts)) + 1)]
    return [(float(times[place]), int(counts[place])) for place in places]


def _compared(
    name: str, ours: Sequence[tuple[float, int]], theirs: Sequence[tuple[float, int]], *, judged: bool
) -> list[tuple[str, bool]]:
    print(f"\n{name:10}{'embedded':>16}{'simulated':>16}")
    for one, other in itertools.zip_longest(ours, theirs):
        shown = (f"{one[0]:8.0f} s {one[1]:5}" if one else "" for one in (one, other))
        print(f"{'':10}" + "".join(f"{text:>16}" for text in shown))
    if not judged:
        return []
    counts, expected = ([count for _, count in one] for one in (ours, theirs))
    apart = max((abs(one[0] - other[0]) for one, other in zip(ours, theirs, strict=False)), default=0.0)
    print(f"largest difference: {apart:.0f} s")
    return [
        (f"the counts are {counts}, simulated {expected}", counts == expected),
        (f"a change is {apart:.0f} s apart", apart <= CHANGE_S),
    ]


def hour() -> int:
    """An hour of the clock: clients that hang up, oversized prompts, a scale-out, a canary, a redeployment."""
    base: dict[str, Any] = {
        "instance": {"count": 2},
        "alarms": {"latency": 60},
        "auto_scaling": {"min_instances": 2, "max_instances": MOST, "target_concurrent_requests": 4},
    }
    trace = _traffic("burst", HOUR_RATE, HOUR_PEAK, HOUR_S)
    usages, statuses = list[tuple[float, Usage]](), list[tuple[float, str]]()
    with server(SPEED, SAGEHOST_ENDPOINT_SECONDS="60") as aws:
        aws.deploy(**base, updates=UPDATES)
        requests = Requests(aws)
        mixed = Mixed(aws, requests)
        warm_up(aws, mixed)
        before = aws.usage()
        requests.outcomes.clear()

        def operate() -> None:
            for at, tgi, updates in ((0.55, {"MAX_CONCURRENT_REQUESTS": 64}, UPDATES), (0.85, {}, None)):
                aws.sleep(at * HOUR_S - requests.now())
                status, reason = aws.deploy(**base, tgi=tgi, **({"updates": updates} if updates else {}))
                statuses.append((requests.now(), f"{status} {reason}"))

        operating = threading.Thread(target=operate)
        operating.start()
        with sampled(2.0, lambda _: usages.append((requests.now(), aws.usage()))):
            late = replay(aws, trace, mixed.send)
            operating.join()
        aws.sleep(60)
        still = _in_flight(aws)
        activities = aws.client("application-autoscaling").describe_scaling_activities(ServiceNamespace="sagemaker")
        aws.hang_up()
        after = aws.usage()
    tally = requests.tally()
    print(f"{trace.times.size} requests at speed {SPEED}, sent {late:.1f} s late at most; {tally.total()} ended:")
    for name, count in tally.most_common():
        print(f"  {count:6} {name}")
    for at, status in statuses:
        print(f"deployed at {at:.0f} s: {status}")
    for one in reversed(activities["ScalingActivities"]):
        print(f"scaled: {one['StatusCode']}: {one['Description']}")
    print("clock s, MB, threads, files, % of a core:")
    for (start, old), (at, usage) in itertools.pairwise(usages[::8]):
        share = (usage.cpu - old.cpu) / (at - start) * aws.speed
        print(f"  {at:6.0f} {usage.megabytes:6.0f} {usage.threads:5} {usage.files:5} {share:6.0%}")
    print(f"before: {before.threads} threads, {before.files} files; after: {after.threads}, {after.files}")
    early = median(usage.megabytes for at, usage in usages if HOUR_S / 4 < at < HOUR_S / 2)
    late_use = median(usage.megabytes for at, usage in usages if at > 0.9 * HOUR_S)
    each = 1024 * (after.megabytes - before.megabytes) / tally.total()
    print(f"memory: {early:.0f} MB in the second quarter, {late_use:.0f} MB at the end, {each:.1f} KB a request")
    print(f"in flight after it: {still:g}")
    unnamed = {name for name in tally if not name.startswith(("answered", "hung up", "ModelError"))}
    return verdict([
        (f"{trace.times.size - tally.total()} requests have no end", tally.total() == trace.times.size),
        (f"not answered and not refused by name: {unnamed}", not unnamed),
        (f"stacks: {statuses}", [text.split()[0] for _, text in statuses] == ["UPDATE_COMPLETE"] * 2),
        ("nothing scaled", bool(activities["ScalingActivities"])),
        (f"{after.threads} threads at the end", after.threads <= MOST_THREADS),
        (f"{after.files - before.files} open files more", after.files <= before.files),
        (f"{still} requests in flight", still == 0),
        (f"memory grew from {early:.0f} to {late_use:.0f} MB", late_use <= GROWTH * early),
    ])  # fmt: skip


def warm_up(aws: Server, mixed: "Mixed") -> None:
    """Has all that is made once, such as the threads of pools, before anything is counted."""
    describe = aws.client("cloudformation").describe_stacks
    with ThreadPoolExecutor(64) as pool:
        for _ in range(8):
            for kind in Mixed.KINDS:
                pool.submit(mixed.send_kind, kind, 100, 20)
                pool.submit(describe)
    aws.hang_up()


class Mixed:
    """Requests of every kind, each kind as likely as its share."""

    KINDS: ClassVar = {
        "whole": 60,
        "stream": 20,
        "stream hung up": 8,
        "whole hung up": 7,
        "oversized": 4,
        "over the answer": 1,
        "never scheduled, hung up": 1,
    }

    def __init__(self, aws: Server, requests: Requests) -> None:
        self._requests, self._endpoint = requests, Endpoint(aws)
        self._impatient = Endpoint(aws, read_timeout=2 / aws.speed)
        self._random = random.Random(1)

    def send(self, _: int, prompt: int, answer: int) -> None:
        """One request, of any kind."""
        self.send_kind(self._random.choices([*self.KINDS], [*self.KINDS.values()])[0], prompt, answer)

    def send_kind(self, kind: str, prompt: int, answer: int) -> None:
        """One request of a kind."""
        whole, stream = body(prompt, answer), body(prompt, answer, stream=True)
        calls: dict[str, Callable[[], object]] = {
            "whole": lambda: self._endpoint.answer(whole),
            "stream": lambda: self._complete(stream, answer),
            "stream hung up": lambda: [*self._endpoint.events(stream, most=3)],
            "whole hung up": lambda: self._impatient_answer(whole),
            "oversized": lambda: self._endpoint.answer(body(8200, answer)),
            "over the answer": lambda: self._endpoint.answer(body(prompt, 8192)),
            "never scheduled, hung up": lambda: self._impatient_answer(body(8180, 1)),
        }
        self._requests.note(calls[kind], "hung up" if "hung up" in kind else f"answered {kind}")

    def _complete(self, request: bytes, tokens: int) -> None:
        events = [*self._endpoint.events(request)]
        if "error" in events[-1]:
            refused = {"error": {"Code": "ModelError"}, "OriginalMessage": str(events[-1]["error_type"])}
            raise ClientError(refused, "InvokeEndpointWithResponseStream")
        if len(events) != tokens:
            raise RuntimeError(f"{len(events)} of {tokens} tokens")

    def _impatient_answer(self, request: bytes) -> None:
        try:
            self._impatient.answer(request)
        except Exception as error:
            if not isinstance(error, ReadTimeoutError):
                raise


def _in_flight(aws: Server) -> float:
    """Requests in flight by SageMaker's own metric, in the clock's last half minute."""
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ConcurrentRequestsPerModel",
        Dimensions=[{"Name": "EndpointName", "Value": NAME}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime="2020-01-01T00:00:00Z",
        EndTime="2100-01-01T00:00:00Z",
        Period=10,
        Statistics=["Maximum"],
    )["Datapoints"]
    last = sorted(found, key=lambda one: one["Timestamp"])[-3:]
    return max((float(one["Maximum"]) for one in last), default=math.nan)


def _traffic(pattern: Any, rate: float, peak: float, seconds: float) -> Trace:
    return poisson_trace(rate_over_time(pattern, rate, peak, seconds), seconds, [128], [128], seed=1)


def _constant(rate: float, seconds: float) -> Trace:
    return _traffic("constant", rate, rate, seconds)
