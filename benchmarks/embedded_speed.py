"""What the embedded AWS's answers take: of its clock, against the model, and of the machine's CPU."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from statistics import median

import urllib3

from benchmarks.embedded_load import Endpoint, Server, body, closed_loop, name_of, server, verdict
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.closed_loop import Load, simulate
from mistral7b.capacity.measurements import Row, published_figures, rows
from mistral7b.capacity.memory import benchmark_limits

OFF = 0.03
"""By how much a latency or a throughput may differ from the model's."""
SAMPLE = ((128, 1), (128, 16), (512, 4), (6400, 2))
"""Prompt tokens and users of the cells that are measured at speed 1, too."""
CYCLES = {"1": (2, 4), "20": (4, 6)}
"""By speed: answers that each user gets before any counts, and that count."""

STREAMS, STREAM_S, STREAMS_CPU = 128, 20.0, 0.25
MANY, TOKENS = 400, 100
INSTANT_REQUESTS, INSTANT_MS = 2000, 1.0


def cells() -> int:
    """Users × prompt sizes of the published benchmark: latency and throughput, within 3% of the model's."""
    loads = [*rows(published_figures())]
    sample = [row for row in loads if (row.input_words, row.concurrent_users) in SAMPLE]
    bars = []
    for speed, chosen in (("20", loads), ("1", sample)):
        print(f"speed {speed}: clock seconds and tokens/s, the model's (sustained)")
        print(f"{'prompt':>7}{'users':>6}{'latency':>9}{'model':>7}{'':7}{'tokens/s':>10}{'model':>7}{'':7}", end="")
        print("   CPU of client, server")
        with server(speed, SAGEHOST_ENDPOINT_SECONDS="0") as aws:
            aws.deploy(auto_scaling=None)
            trips = {row.input_words: overhead(aws, row.input_words) for row in chosen}
            for row in chosen:
                bars += _cell(aws, row, trips[row.input_words], CYCLES[speed])
        shown = ", ".join(f"{1000 * trip:.0f} ms ({prompt} tokens)" for prompt, trip in trips.items())
        print(f"client and server take {shown} of the model's round trip; the clients sleep for the rest\n")
    return verdict(bars)


def _cell(aws: Server, row: Row, trip: float, cycles: tuple[int, int]) -> list[tuple[str, bool]]:
    parameters = published_calibration().parameters
    prompt = row.input_words  # the calibration has one token a word
    load = Load(row.concurrent_users, prompt, row.output_tokens)
    model = simulate(load, parameters, benchmark_limits())  # as the column `sustained` of `capacity table`
    endpoint, request = Endpoint(aws), body(prompt, row.output_tokens)
    pause = max(0.0, parameters.round_trip - trip)
    spread = parameters.decode_step * row.output_tokens
    found = closed_loop(
        aws, lambda: endpoint.answer(request), users=load.users, tokens=row.output_tokens, pause=pause,
        spread=spread, cycles=cycles,
    )  # fmt: skip
    off = found.latency / model.latency - 1, found.tokens_per_second / model.tokens_per_second - 1
    print(f"{prompt:7}{load.users:6}{found.latency:9.2f}{model.latency:7.2f}{off[0]:+7.1%}", end="")
    print(f"{found.tokens_per_second:10.1f}{model.tokens_per_second:7.0f}{off[1]:+7.1%}", end="")
    print(f"{found.client_cpu:11.0%}{found.server_cpu:8.0%}", flush=True)
    where = f"{prompt} tokens, {load.users} users, speed {aws.speed:g}"
    names = zip(("latency", "throughput"), off, strict=True)
    return [(f"{where}: {name} {value:+.1%} off", abs(value) <= OFF) for name, value in names]


def overhead(aws: Server, prompt: int) -> float:
    """Clock seconds that client and server take beyond the container's work, of an answer whose time is known."""
    load, parameters = Load(1, prompt, 20), published_calibration().parameters
    known = simulate(load, parameters, benchmark_limits()).latency - parameters.round_trip
    endpoint, request, seconds = Endpoint(aws), body(prompt, load.output_tokens), []
    for _ in range(int(max(4, aws.speed))):
        began = time.perf_counter()
        endpoint.answer(request)
        seconds.append((time.perf_counter() - began) * aws.speed)
    return median(seconds) - known


def streams() -> int:
    """CPU of 128 concurrent streams at speed 1, and whether 400 at once lose a token."""
    with server("1", SAGEHOST_ENDPOINT_SECONDS="0") as aws:
        aws.deploy(auto_scaling=None, tgi={"MAX_CONCURRENT_REQUESTS": 512})
        endpoint = Endpoint(aws)
        share, own, rate = _streaming(aws, endpoint)
        print(f"{STREAMS} streams at speed 1: {rate:,.0f} tokens/s, server {share:.1%} of a core (bar: under 25%), ")
        print(f"  {1e6 * share / rate:.0f} µs a token; the clients {own:.1%}, {own / share:.1f} times as much")
        complete, wrong = _lossless(endpoint)
    print(f"{MANY} streams × {TOKENS} tokens: {complete} complete, {sum(wrong.values())} not {dict(wrong) or ''}")
    return verdict([
        (f"{STREAMS} streams take {share:.1%} of a core", share < STREAMS_CPU),
        (f"{MANY - complete} of {MANY} streams lose something", complete == MANY),
    ])  # fmt: skip


def _streaming(aws: Server, endpoint: Endpoint) -> tuple[float, float, float]:
    """Of a core: the server's share and the clients'; and tokens a second. Each stream's end begins another."""
    ended, counts = threading.Event(), [0] * STREAMS
    request = body(128, 128, stream=True)

    def user(number: int) -> None:
        while not ended.is_set():
            for _ in endpoint.events(request):
                counts[number] += 1
                if ended.is_set():
                    return

    threads = [threading.Thread(target=user, args=(number,)) for number in range(STREAMS)]
    for thread in threads:
        thread.start()
    while not all(counts):
        time.sleep(0.1)
    began, used, own, before = time.perf_counter(), aws.usage().cpu, time.process_time(), sum(counts)
    time.sleep(STREAM_S)
    took, used, own = time.perf_counter() - began, aws.usage().cpu - used, time.process_time() - own
    tokens = sum(counts) - before
    ended.set()
    for thread in threads:
        thread.join()
    return used / took, own / took, tokens / took


def _lossless(endpoint: Endpoint) -> tuple[int, Counter[str]]:
    """How many streams had every token of the whole answer, in its order, and its text; and what the others had."""
    whole = endpoint.answer(body(16, TOKENS, details=True))[0]
    expected, text = [one["id"] for one in whole["details"]["tokens"]], whole["generated_text"]
    request, outcomes, together = body(16, TOKENS, stream=True), Counter[str](), threading.Barrier(MANY)

    def user() -> None:
        together.wait()
        try:
            events = [*endpoint.events(request)]
            same = [one["token"]["id"] for one in events] == expected and events[-1]["generated_text"] == text
            outcomes["complete" if same and len(events) == TOKENS else f"{len(events)} events"] += 1
        except Exception as error:  # noqa: BLE001 - a thread has no caller
            outcomes[name_of(error)] += 1

    threads = [threading.Thread(target=user) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    complete = outcomes.pop("complete", 0)
    return complete, outcomes


def instant() -> int:
    """CPU of the server for a request that needs no waiting."""
    with server("instant") as aws:
        aws.deploy(auto_scaling=None)
        endpoint = Endpoint(aws)
        pool = urllib3.PoolManager()  # keeps its connection, as boto3 does
        bare = _milliseconds(aws, lambda: pool.request("GET", f"{aws.state.url}/_sagehost/health"))
        cases = {
            "1 token": body(16, 1),
            "20 tokens": body(16, 20),
            "20 tokens after a prompt of 512": body(512, 20),
        }
        print(f"{INSTANT_REQUESTS} requests each, one after another: ms of the server's CPU for one")
        print(f"{'bare answer of the same server':34}{bare:6.2f}")
        bars = []
        for name, request in cases.items():
            took = _milliseconds(aws, lambda request=request: endpoint.answer(request))  # type: ignore[misc]
            print(f"{name:34}{took:6.2f}{took / bare:6.1f} ×", flush=True)
            bars.append((f"{name}: {took:.2f} ms", took < INSTANT_MS))
    return verdict(bars)


def _milliseconds(aws: Server, call: Callable[[], object]) -> float:
    for _ in range(50):
        call()
    before = aws.usage().cpu
    for _ in range(INSTANT_REQUESTS):
        call()
    return 1000 * (aws.usage().cpu - before) / INSTANT_REQUESTS
