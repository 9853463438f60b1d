"""Locust's part: users of an endpoint, and the loads of a plan one after another.

`mistral7b bench` runs it; so does `MISTRAL7B_BENCH_PLAN=FOLDER/plan.json locust -f locustfile.py`, with any option of
Locust's. The master, or the one process, writes what comes of it beside the plan, one JSON object a line. Workers get
each load by a message, and need neither plan nor variable.
"""

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust import LoadTestShape, User, events, task
from locust.runners import MasterRunner, WorkerRunner

from mistral7b.bench.plan import PLAN_VARIABLE, RECORDS, WARM_UP, Cell
from mistral7b.endpoint.client import NO_RETRIES, EndpointClient, to_json
from mistral7b.endpoint.errors import EndpointError

PLAN = Path(os.environ[PLAN_VARIABLE]) if PLAN_VARIABLE in os.environ else None
_MOST_IN_FLIGHT = 4096
_PAUSE_S = 1.0  # of a user whose request failed: a refusal comes at once, and so would the next
_LAG_S, _REPORT_S = 0.02, 0.5
_WALL = time.time() - time.perf_counter()


class Generator:
    """The requests of this process: what is to be sent, what is in flight, and what is answered."""

    def __init__(self) -> None:
        self.cell: Cell | None = None
        self.number, self.speed, self.sources = 0, 1.0, 1
        self.begun, self.runner = Event(), None
        self._client: Any = None
        self._answered: list[dict[str, Any]] = []
        self._in_flight: dict[object, dict[str, Any]] = {}
        self._lags: list[float] = []

    def begin(self, load: dict[str, Any]) -> None:
        """Begins a load, or without a cell ends the last: no request is sent from then on."""
        self.number, self.speed, self.sources = load["number"], load["speed"], load["sources"]
        self.cell = load["cell"] and Cell(**load["cell"])
        self.begun.clear()
        if self.cell:
            self._client = self._client or EndpointClient(
                load["endpoint"], load["region"], max_pool_connections=_MOST_IN_FLIGHT, retry=NO_RETRIES
            )
            self._request, self._body = self.cell.request(), to_json(self.cell.request())
            self.begun.set()

    def send(self, cell: Cell, user: int, due: float | None = None) -> bool:
        """One request, and whether it is answered. If it was `due` earlier, its time is counted from then."""
        now, key, first, tokens, failure = time.perf_counter(), object(), None, 0, None
        began = now if due is None else due
        record: dict[str, Any] = {"cell": self.number, "user": user, "began": began + _WALL, "late": now - began}
        self._in_flight[key] = record
        try:
            if cell.stream:
                for _ in self._client.stream(self._request):
                    first, tokens = first or time.perf_counter() - began, tokens + 1
            else:
                tokens = int(json.loads(self._client.invoke(self._body))[0]["details"]["generated_tokens"])
        except (EndpointError, ValueError, LookupError, TypeError) as error:  # the latter: it is no answer of TGI
            failure = error
            status = f" ({error.status})" if isinstance(error, EndpointError) and error.status else ""
            record |= {"error": type(error).__name__.removesuffix("Error") + status, "message": str(error)}
        seconds = time.perf_counter() - began
        del self._in_flight[key]  # what Locust ends stays in it, and is reported as cut off
        self._answered.append(record | {"seconds": seconds, "first": first, "tokens": tokens})
        events.request.fire(
            request_type="stream" if cell.stream else "answer", name=cell.name, response_length=tokens,
            response_time=1000 * seconds * self.speed, exception=failure, context={},
        )  # fmt: skip
        return failure is None

    def watch(self) -> None:
        """For as long as the process lives: how late it is, how busy, and what is answered, to the master."""
        used, told = time.process_time(), time.perf_counter()
        while True:
            due = time.perf_counter() + _LAG_S
            gevent.sleep(_LAG_S)
            now = time.perf_counter()
            self._lags.append(max(0.0, now - due))
            if now - told >= _REPORT_S:
                self.report((time.process_time() - used) / (now - told))
                used, told = time.process_time(), now

    def report(self, cpu: float = 0.0) -> None:
        """Hands over what there is since the last time."""
        process = {"cell": self.number, "in_flight": len(self._in_flight), "lags": self._lags, "cpu": cpu}
        answered, self._answered, self._lags = self._answered, [], []
        self.runner.send_message("answered", {"requests": answered, "process": process})  # type: ignore[attr-defined]

    def cut_off(self) -> None:
        """Reports what is still in flight when Locust has stopped all users."""
        now = time.perf_counter() + _WALL
        for one in self._in_flight.values():
            ended = {"error": "CutOff", "message": "the run ended first", "first": None, "tokens": 0}
            self._answered.append(one | ended | {"seconds": now - one["began"]})
        self._in_flight.clear()
        self.report()


GENERATOR = Generator()


class EndpointUser(User):
    """Sends one request after another; with a rate, at random times, whatever is still in flight."""

    _users = 0

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        EndpointUser._users += 1
        self._number, self._began = EndpointUser._users, -1

    @task
    def ask(self) -> None:
        """One request of a user, or all of a load with a rate."""
        GENERATOR.begun.wait()
        cell, number = GENERATOR.cell, GENERATOR.number
        if cell is None:
            return
        if cell.rate:
            self._arrive(cell, number, cell.rate / GENERATOR.sources * GENERATOR.speed)
        elif self._began != number:
            self._began = number
            gevent.sleep(random.uniform(0, cell.spread_s) / GENERATOR.speed)
        else:  # even without a pause, answers that came at the same time are taken before the next request is made
            gevent.sleep(0 if GENERATOR.send(cell, self._number) else _PAUSE_S / GENERATOR.speed)

    def _arrive(self, cell: Cell, number: int, rate: float) -> None:
        due = time.perf_counter()
        while GENERATOR.number == number and GENERATOR.cell:
            due += random.expovariate(rate)
            gevent.sleep(max(0.0, due - time.perf_counter()))
            gevent.spawn(GENERATOR.send, cell, self._number, due)


class Table(LoadTestShape):
    """The loads of the plan: all users are there before one begins, and all answers before the next."""

    abstract = PLAN is None

    def __init__(self) -> None:
        super().__init__()
        assert PLAN is not None  # without one, Locust makes no shape
        self._plan: dict[str, Any] = json.loads(PLAN.read_text(encoding="utf-8"))
        self._out = (PLAN.parent / RECORDS).open("w", encoding="utf-8")
        self._in_flight: dict[str, int] = {}
        self._answers, self._failures, self._number = Counter[tuple[str, int]](), 0, 0
        self._steps = self._walk()

    def tick(self) -> tuple[int, float] | None:
        """How many users there are now, asked every second; None ends the run."""
        return next(self._steps, None)

    def take(self, msg: Any, **_: object) -> None:
        """Keeps what a process reports."""
        for one in msg.data["requests"]:
            if one["cell"] == self._number:
                self._answers[msg.node_id, one["user"]] += 1
                self._failures += "error" in one
            self._write(one | {"process": msg.node_id})
        self._in_flight[msg.node_id] = msg.data["process"]["in_flight"]
        self._write(msg.data["process"] | {"process": msg.node_id})

    def _walk(self) -> Iterator[tuple[int, float]]:
        cells, runner, ending, speed = self._plan["cells"], self.runner, "complete", self._plan["speed"]
        assert runner is not None
        until = time.perf_counter() + (self._plan["budget_s"] or float("inf")) / speed
        for number, values in enumerate(cells):
            cell = Cell(**values)
            users = cell.users or (runner.worker_count if isinstance(runner, MasterRunner) else 1)
            wanted = (users, float(min(users, 100)))
            yield wanted
            while runner.user_count != users:
                yield wanted
            self._number, self._failures = number, 0
            self._answers.clear()
            self._write({"begun": number, "at": time.time()})
            sys.stdout.write(f"load {number + 1} of {len(cells)}: {cell.name}\n")
            sys.stdout.flush()
            load = {name: self._plan[name] for name in ("endpoint", "region", "speed")} | {"number": number}
            runner.send_message("load", load | {"cell": values, "sources": users})
            end = time.perf_counter() + cell.window_s / speed
            while (lasts := time.perf_counter() < end if cell.rate else self._lasts(cell)) and ending == "complete":
                ending = "complete" if time.perf_counter() < until else "budget"
                yield wanted
            runner.send_message("load", load | {"cell": None, "sources": users})
            yield wanted  # until what was sent before is reported
            while any(self._in_flight.values()) and ending == "complete":
                yield wanted
            if self._failures and self._failures == self._answers.total():
                ending = "no answers"
            if lasts or ending == "no answers":
                break
            self._write({"ended": number})
        self._write({"ending": ending})

    def _lasts(self, cell: Cell) -> bool:
        """Whether users still have answers to get; none does if all have failed."""
        done = sum(count >= WARM_UP + cell.counted for count in self._answers.values())
        all_failed = self._answers.total() == self._failures >= max(cell.users, 5)
        return done < cell.users and not all_failed

    def _write(self, record: dict[str, Any]) -> None:
        self._out.write(json.dumps(record) + "\n")
        self._out.flush()


@events.init.add_listener
def _connect(environment: Any, **_: object) -> None:
    """The master's part: to write. The part of all others: to send."""
    runner = GENERATOR.runner = environment.runner
    if not isinstance(runner, WorkerRunner):
        runner.register_message("answered", environment.shape_class.take)
    if not isinstance(runner, MasterRunner):
        runner.register_message("load", lambda msg, **_: GENERATOR.begin(msg.data))
        gevent.spawn(GENERATOR.watch)
        environment.events.test_stop.add_listener(lambda **_: GENERATOR.cut_off())
