"""Locust's part: users of an endpoint, and the loads of a plan one after another.

`mistral7b bench` runs it, or `MISTRAL7B_BENCH_PLAN=FOLDER/plan.json locust -f locustfile.py` with options of Locust's.
The master, or the one process, writes what comes of it beside the plan. Workers get each load by a message.
"""

import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import gevent
from gevent.event import Event
from locust import LoadTestShape, User, events, task
from locust.runners import MasterRunner, WorkerRunner

from mistral7b.bench.plan import PLAN_VARIABLE, RECORDS, TOKEN_S, WARM_UP, Cell
from mistral7b.endpoint.client import ANSWER_TIMEOUT_S, NO_RETRIES, STREAM_TIMEOUT_S, EndpointClient, to_json
from mistral7b.endpoint.errors import BrokenAnswerError, EndpointError

_MOST_IN_FLIGHT = 4096
_PAUSE_S = 1.0  # of a user whose request failed: a refusal comes at once, and so would the next
_LAG_S, _LAGS = 0.02, 25
_WALL = time.time() - time.perf_counter()
_GENERATED = re.compile(rb'"generated_tokens": ?(\d+)')
"""In an answer, whose other details nobody reads: to parse them takes a process's time from other users."""


class Generator:
    """The requests of this process: what is to be sent, what is in flight, and what is answered."""

    def __init__(self) -> None:
        self.cell: Cell | None = None
        self.load: dict[str, Any] = {"number": 0}
        self.begun = Event()
        self.runner: Any = None
        self._client: Any = None
        self._answered: list[dict[str, Any]] = []
        self._in_flight: dict[object, dict[str, Any]] = {}
        self._lags: list[float] = []

    def begin(self, msg: Any, **_: object) -> None:
        """Begins a load, or without a cell ends the last: no request is sent from then on."""
        self.load = load = msg.data
        self.cell = load["cell"] and Cell(**load["cell"])
        self.begun.clear()
        if self.cell and not self._client:
            session = boto3.Session()
            options: dict[str, Any] = {"max_pool_connections": _MOST_IN_FLIGHT, "retry": NO_RETRIES}
            session.events.register("before-send.sagemaker-runtime", self._sent)
            self._client = EndpointClient(load["endpoint"], load["region"], session=session, **options)
        if self.cell:
            self._request = self.cell.request()
            self._body = to_json(self._request)
            self.begun.set()

    def send(self, cell: Cell, user: int, due: float | None = None) -> bool:
        """One request, and whether it is answered. Its time is counted from when it was `due`, or else is signed."""
        key, first, tokens, failure = gevent.getcurrent(), None, 0, None
        began = time.perf_counter() if due is None else due
        record: dict[str, Any] = {"cell": self.load["number"], "user": user, "began": began + _WALL, "due": due}
        self._in_flight[key] = record
        try:
            if cell.stream:
                for _ in self._client.stream(self._request):
                    first, tokens = first or time.perf_counter() + _WALL - record["began"], tokens + 1
            else:
                answer = self._client.invoke(self._body)
                if not (found := _GENERATED.search(answer)):
                    raise BrokenAnswerError(f"no answer of TGI: {answer[:80]!r}")
                tokens = int(found[1])
        except (EndpointError, ValueError) as error:  # the latter: a stream that is not TGI's
            failure = error
            status = f" ({error.status})" if isinstance(error, EndpointError) and error.status else ""
            record |= {"error": type(error).__name__.removesuffix("Error") + status, "message": str(error)}
        seconds = time.perf_counter() + _WALL - record["began"]
        del self._in_flight[key]  # what Locust ends stays in it, and is reported as cut off
        record |= {"seconds": seconds, "first": first, "tokens": tokens, "behind": 0.0}
        self._answered.append(record)
        ended = time.perf_counter()
        gevent.sleep(0)  # takes other answers of this moment first; as long as that takes, this one may have waited
        record["behind"] = time.perf_counter() - ended
        told = {"response_time": 1000 * seconds * self.load["speed"], "response_length": tokens, "exception": failure}
        events.request.fire(request_type=["answer", "stream"][cell.stream], name=cell.name, context={}, **told)
        return failure is None

    def _sent(self, **_: object) -> None:
        """boto3 has signed this greenlet's request: how late that is, and where the endpoint's time begins."""
        record, now = self._in_flight[gevent.getcurrent()], time.perf_counter() + _WALL
        record["late"] = now - record["began"]
        if record["due"] is None:
            record["began"] = now

    def watch(self) -> None:
        """For as long as the process lives: how late it is, and what is answered, to the master."""
        while True:
            for _ in range(_LAGS):
                due = time.perf_counter() + _LAG_S
                gevent.sleep(_LAG_S)
                self._lags.append(max(0.0, time.perf_counter() - due))
            self._report()

    def stop(self, **_: object) -> None:
        """Reports what is still in flight when Locust has stopped all users."""
        for one in self._in_flight.values():
            ended = {"error": "CutOff", "message": "the run ended first", "first": None, "tokens": 0}
            self._answered.append(one | ended | {"seconds": time.perf_counter() + _WALL - one["began"]})
        self._in_flight.clear()
        self._report()

    def _report(self) -> None:
        process = {"cell": self.load["number"], "in_flight": len(self._in_flight), "lags": self._lags}
        answered, self._answered, self._lags = self._answered, [], []
        self.runner.send_message("answered", {"requests": answered, "process": process})


GENERATOR = Generator()


class EndpointUser(User):
    """Sends one request after another; with a rate, at random times, whatever is still in flight."""

    _began = -1

    @task
    def ask(self) -> None:
        """One request of a user, or all of a load with a rate."""
        GENERATOR.begun.wait()
        cell, load, due = GENERATOR.cell, GENERATOR.load, time.perf_counter()
        while cell and cell.rate and GENERATOR.cell is cell:
            due += random.expovariate(cell.rate / load["sources"] * load["speed"])
            gevent.sleep(max(0.0, due - time.perf_counter()))
            gevent.spawn(GENERATOR.send, cell, id(self), due)
        if cell and cell.users and self._began != load["number"]:
            self._began = load["number"]
            gevent.sleep(random.uniform(0, TOKEN_S * cell.answer_tokens) / load["speed"])
            GENERATOR.send(cell, id(self))
            gevent.sleep(random.uniform(0, time.perf_counter() - due))  # users that begin together stay together
        elif cell and cell.users and not GENERATOR.send(cell, id(self)):
            gevent.sleep(_PAUSE_S / load["speed"])


class Table(LoadTestShape):
    """The loads of the plan: all users are there before one begins, and all answers before the next."""

    abstract = PLAN_VARIABLE not in os.environ

    def __init__(self) -> None:
        super().__init__()
        file = Path(os.environ[PLAN_VARIABLE])
        self._plan: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self._out = file.with_name(RECORDS).open("w", encoding="utf-8")
        self._in_flight: dict[str, int] = {}
        self._answers, self._failures, self._number = Counter[tuple[str, int]](), 0, 0
        self._answered = self._longest = 0.0
        self._steps = self._walk()

    def tick(self) -> tuple[int, float] | None:
        """How many users there are now, asked every second; None ends the run."""
        return next(self._steps, None)

    def take(self, msg: Any, **_: object) -> None:
        """Keeps what a process reports."""
        for one in msg.data["requests"]:
            if one["cell"] == self._number:
                self._answers[msg.node_id, one["user"]] += 1
                self._failures = self._failures + 1 if "error" in one else 0
                if not self._failures:
                    self._answered, self._longest = time.perf_counter(), max(self._longest, one["seconds"])
        self._in_flight[msg.node_id] = msg.data["process"]["in_flight"]
        self._write(*(one | {"process": msg.node_id} for one in [*msg.data["requests"], msg.data["process"]]))

    def _walk(self) -> Iterator[tuple[int, float]]:
        plan, runner, ending, began = self._plan, GENERATOR.runner, "complete", time.perf_counter()
        for number, values in enumerate(plan["cells"]):
            cell = Cell(**values)
            users = cell.users or (runner.worker_count if isinstance(runner, MasterRunner) else 1)
            wanted = (users, 100.0)
            yield wanted
            while runner.user_count != users:
                yield wanted
            self._number, self._failures, self._longest, start = number, 0, 0.0, time.perf_counter()
            self._answers.clear()
            self._write({"begun": number, "at": time.time()})
            sys.stdout.write(f"load {number + 1} of {len(plan['cells'])}: {cell.name}\n")
            runner.send_message("load", plan | {"number": number, "cell": values, "sources": users})
            while (lasts := self._lasts(cell, time.perf_counter() - start)) and ending == "complete":
                yield wanted
                if plan["budget_s"] is not None and (time.perf_counter() - began) * plan["speed"] > plan["budget_s"]:
                    ending = "budget"
                elif self._failures >= max(cell.users, 3) and time.perf_counter() > self._answered + 2 * self._longest:
                    ending = "no answers"
            runner.send_message("load", plan | {"number": number, "cell": None, "sources": users})
            last = time.perf_counter() + (STREAM_TIMEOUT_S if cell.stream else ANSWER_TIMEOUT_S)
            yield wanted  # until what was sent before is reported
            while any(self._in_flight.values()) and ending == "complete" and time.perf_counter() < last:
                yield wanted
            if self._failures and self._failures == self._answers.total():
                ending = "no answers"
            if lasts or ending == "no answers":
                break
            self._write({"ended": number})
        self._write({"ending": ending})

    def _lasts(self, cell: Cell, seconds: float) -> bool:
        """Whether users still have answers to get."""
        if cell.rate:
            return seconds * float(self._plan["speed"]) < cell.counted * (1 + 1 / WARM_UP)
        return sum(count >= WARM_UP + cell.counted for count in self._answers.values()) < cell.users

    def _write(self, *records: dict[str, Any]) -> None:
        self._out.writelines(json.dumps(one) + "\n" for one in records)
        self._out.flush()


@events.init.add_listener
def _connect(environment: Any, **_: object) -> None:
    """The master's part: to write. The part of all others: to send."""
    GENERATOR.runner = environment.runner
    if not isinstance(environment.runner, WorkerRunner):
        if environment.shape_class is None:
            sys.exit(f"{PLAN_VARIABLE} is not set\nfix: set it to the plan.json of a run of mistral7b bench")
        environment.runner.register_message("answered", environment.shape_class.take)
    if not isinstance(environment.runner, MasterRunner):
        environment.runner.register_message("load", GENERATOR.begin)
        environment.events.test_stop.add_listener(GENERATOR.stop)
        gevent.spawn(GENERATOR.watch)
    # Ctrl-C at `mistral7b bench` sends this to all processes
    worker = isinstance(environment.runner, WorkerRunner)
    gevent.signal_handler(signal.SIGTERM, GENERATOR.stop if worker else lambda: os.kill(os.getpid(), signal.SIGINT))
