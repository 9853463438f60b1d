"""What the load generator of `mistral7b bench` adds to an answer, and what it can drive.

Run `python benchmarks/bench.py` with one of

    latency     128 users against answers of known times: off by less than 1% or 2 ms; two minutes
    saturation  requests a second against answers at once: 0.95 of bare Locust users on boto3; three minutes
    cells       the 20 published loads against the embedded AWS, within 3% of `capacity table`'s sustained; 35 minutes

on a machine with nothing else to do: load and server together take up to two cores. Exit status 1 if a bar is missed.
It takes requirements/bench.txt.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).absolute().parents[1]))  # nothing of benchmarks and tests is installed
from benchmarks.embedded_load import server, verdict
from mistral7b.bench.plan import PLAN_VARIABLE
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.closed_loop import Load, simulate
from mistral7b.capacity.memory import benchmark_limits
from sagehost.accounts import DEFAULT_REGION, credentials
from tests.unit.bench.known_times import KnownTimes, serving

USERS, TIMES_S, OFF, OFF_S = 128, (0.4, 1.0, 2.0), 0.01, 0.002
SATURATION, SATURATED_S, BUSY_USERS, PAIRS = 0.95, 20, 32, 5
CELLS_OFF, SPEED = 0.03, "1"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": DEFAULT_REGION}

BARE = """
import json, os, time
import boto3
from botocore.config import Config
from locust import User, events, task
RUNTIME = boto3.client("sagemaker-runtime", region_name="us-east-1", config=Config(max_pool_connections=64))
class Bare(User):
    @task
    def ask(self):
        began = time.perf_counter()
        RUNTIME.invoke_endpoint(EndpointName="bare", ContentType="application/json", Body=BODY)["Body"].read()
        took = 1000 * (time.perf_counter() - began)
        events.request.fire(request_type="answer", name="bare", response_time=took, response_length=0, exception=None)
"""


def latency() -> int:
    """The median latency of 128 users against the time that the server takes."""
    bars = []
    for seconds in TIMES_S:
        arguments = ("--tokens", "16", "--users", str(USERS), "--answer", "8", "--answers", "10")
        with environment() as folder, serving(KnownTimes(seconds=seconds, tokens=8)) as known:
            (load,), _ = bench(folder, known.url, *arguments)
        took = median(known.took)
        off = load["figures"].get("latency_s_p50", {"value": float("nan")})["value"] - took
        told = f"{USERS} users, answers in {1000 * took:.2f} ms: {1000 * off:+.2f} ms off ({off / took:+.2%})"
        print(f"{told}; lag of the generator {1000 * load['lag_s']:.2f} ms")
        bars.append((load["undriven"] or told, abs(off) < max(OFF * took, OFF_S)))
    return verdict(bars)


def saturation() -> int:
    """Requests a second of our users over those of bare ones, with one process each: the median of pairs in turn."""
    ratios = [_saturated() for _ in range(PAIRS)]
    return verdict([(f"{median(ratios):.2f} of bare Locust", median(ratios) >= SATURATION)])


def _saturated() -> float:
    with environment() as folder, serving(KnownTimes(seconds=0.0, tokens=8)) as known:
        (load,), _ = bench(
            folder, known.url, "--tokens", "16", "--users", str(BUSY_USERS), "--answer", "8", "--answers", "300"
        )
        records = [json.loads(line) for line in (folder / "bench-load" / "requests.jsonl").read_text().splitlines()]
        ours = rate([one["began"] + one["seconds"] for one in records if "began" in one])
        file = folder / "bare.py"
        body = {"inputs": "word " * 15, "parameters": {"max_new_tokens": 8, "details": True}}
        file.write_text(BARE.replace("BODY)", f"{json.dumps(json.dumps(body))})"))
        command = [sys.executable, "-m", "locust", "-f", str(file), "--headless", "--json", "--loglevel", "ERROR"]
        command += ["--users", str(BUSY_USERS), "--spawn-rate", "100", "--run-time", f"{SATURATED_S}s"]
        run = subprocess.run(command, env=variables(known.url), capture_output=True, text=True, check=True)
        (found,) = json.loads(run.stdout)
        bare = float(found["num_requests"] / (found["last_request_timestamp"] - found["start_time"]))
    print(
        f"requests a second: {ours:.0f}, of bare users {bare:.0f}: {ours / bare:.2f}; load: {load['undriven'] or 'ok'}"
    )
    return ours / bare


def rate(ends: list[float]) -> float:
    """Of the middle half of the answers."""
    ends.sort()
    first, last = len(ends) // 4, 3 * len(ends) // 4
    return (last - first) / (ends[last] - ends[first])


def cells() -> int:
    """Tokens a second of the published loads against the model's sustained throughput."""
    bars = []
    with environment() as folder, server(SPEED, SAGEHOST_ENDPOINT_SECONDS="0") as aws:
        aws.deploy(auto_scaling=None)
        keys = credentials(region=DEFAULT_REGION, secret=aws.state.secret)
        loads, _ = bench(folder, aws.state.url, keys=keys)
    parameters, limits = published_calibration().parameters, benchmark_limits()
    print("tokens/s measured; off the model's sustained column")
    for load in loads:
        cell, rate = load["cell"], load["figures"].get("tokens_per_s", {"value": float("nan")})["value"]
        known = Load(cell["users"], cell["prompt"], cell["answer_tokens"])
        off = rate / simulate(known, parameters, limits).tokens_per_second - 1
        print(f"{load['name']:45} {rate:8.1f} {off:+7.1%}  {load['undriven']}")
        bars.append((f"{load['name']}: {off:+.1%}", abs(off) <= CELLS_OFF))
    return verdict(bars)


@contextmanager
def environment() -> Any:
    """A folder with an environment file."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "environments").mkdir()
        (Path(name) / "environments" / "load.yaml").write_text(f"region: {DEFAULT_REGION}\n", encoding="utf-8")
        yield Path(name)


def variables(url: str, keys: dict[str, str] = KEYS) -> dict[str, str]:
    """The shell of a run."""
    own = {name: value for name, value in os.environ.items() if name != PLAN_VARIABLE}
    return own | keys | {"AWS_ENDPOINT_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)}


def bench(folder: Path, url: str, *arguments: str, keys: dict[str, str] = KEYS) -> tuple[list[dict[str, Any]], int]:
    """The loads of a run of the command, and its status."""
    command = [sys.executable, "-c", "from mistral7b_cli import main; main()", "bench", "load", *arguments]
    done = subprocess.run(command, cwd=folder, env=variables(url, keys), stdout=subprocess.DEVNULL, check=False)
    return json.loads((folder / "bench-load" / "report.json").read_text(encoding="utf-8"))["loads"], done.returncode


MEASUREMENTS = {one.__name__: one for one in (latency, saturation, cells)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurement", choices=MEASUREMENTS)
    sys.exit(MEASUREMENTS[parser.parse_args().measurement]())
