"""`mistral7b bench`: the published table for one's own endpoint, and whether it got worse."""

import json
import os
import signal
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import TypeAdapter

from mistral7b.bench import report
from mistral7b.bench.plan import PLAN_VARIABLE, RECORDS, Cell, duration
from mistral7b.bench.results import Record, measured
from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.measurements import published_figures, rows
from mistral7b.capacity.memory import router_limits
from mistral7b.capacity.plots import plot_benchmark
from mistral7b.capacity.text_file import read_text
from mistral7b.endpoint import caller
from mistral7b.environment import load_environment
from mistral7b.errors import FAILED, INTERRUPTED, UserError
from mistral7b.operate.costs import price_of
from mistral7b.process import CommandFailedError, run
from mistral7b_cli.asking import prepare
from mistral7b_cli.aws import at_speed, connected
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder, ModelFile, Price
from mistral7b_cli.output import progress, say, write_json

_COLUMNS = {
    "tokens/s": "tokens_per_s", "as published": "as_published_tokens_per_s", "requests/s": "requests_per_s",
    "ms/token p50": "per_token_ms_p50", "p90": "per_token_ms_p90", "p99": "per_token_ms_p99",
    "request p50, s": "latency_s_p50", "p90, s": "latency_s_p90", "p99, s": "latency_s_p99",
    "first token p50, s": "first_token_s_p50",
}  # fmt: skip
_MOST, _PUBLISHED_WORDS = 1_000_000, (128, 512, 6400)
_FIX = "fix: use an idle machine, more processes (-- --processes 4) or longer answers (--answer 400)"


def _list(option: str, what: str, kind: type[int] | type[float] = int) -> Any:
    def parse(text: str) -> list[float]:
        with suppress(ValueError):
            numbers = [kind(one) for one in text.split(",")]
            if all(0 < one <= _MOST for one in numbers):
                return numbers
        wanted = f"{'whole numbers from 1' if kind is int else 'numbers above 0, up'} to {_MOST:,}"
        raise UserError(f"{option} {text}: not {wanted}\nfix: write {option} 2,8")

    return typer.Option(option, metavar="LIST", help=what, parser=parse)


def _percent(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (percent := float(text.removesuffix("%"))) < _MOST:
            return percent / 100
    raise UserError(f"--tolerance {text}: no percentage\nfix: write --tolerance 10%")


def bench(  # noqa: PLR0917 - typer makes an option of each
    name: EnvironmentName,
    locust: Annotated[list[str] | None, typer.Argument(metavar="-- OPTIONS", help="Options of Locust.")] = None,
    words: Annotated[Any, _list("--words", "Lengths of prompts, in words. [default: 128,512,6400]")] = None,
    tokens: Annotated[Any, _list("--tokens", "Lengths of prompts, in tokens.")] = None,
    users: Annotated[Any, _list("--users", "Users at once. [default: as published]")] = None,
    rate: Annotated[Any, _list("--rate", "Requests per second, instead of users.", float)] = None,
    answer: Annotated[int, typer.Option(min=1, metavar="TOKENS", help="Length of answers, in tokens.")] = 128,
    streaming: Annotated[Literal["off", "on", "both"], typer.Option(help="Whether answers are streamed.")] = "off",
    answers: Annotated[int, typer.Option(min=1, help="Measured answers of each user, at least 20 a load.")] = 4,
    seconds: Annotated[int, typer.Option(min=10, help="Measured seconds of each load with --rate.")] = 120,
    web: Annotated[bool, typer.Option("--web", help="Show Locust's web UI on port 8089 during the run.")] = False,
    budget: Annotated[float | None, typer.Option(min=0.01, metavar="USD", help="End the run at this cost.")] = None,
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Results. [default: bench-ENVIRONMENT]")] = None,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Compare with the loads of a report.json.")] = None,
    tolerance: Annotated[Any, typer.Option(metavar="PERCENT", parser=_percent, help="Accepted worsening.")] = "10%",
    update_baseline: Annotated[bool, typer.Option("--update-baseline", help="Overwrite --check.")] = False,
    price: Price = None,
    parameters: ModelFile = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Measure the endpoint of an environment: prompt sizes by users, as in the published benchmark."""
    if find_spec("locust") is None:
        raise ModuleNotFoundError(name="locust")
    if update_baseline and check is None:
        raise UserError("--update-baseline: there is no file to write\nfix: add --check FILE")
    env, out = load_environment(folder, name), output or Path(f"bench-{name}")
    speed, count = caller.clock()[1], env.instance.count
    about = {"environment": name, "endpoint": env.resolved_endpoint_name, "region": env.region, "speed": speed}
    about |= {"instance_type": env.instance_type, "instances": count}
    before = _baseline(check) if check and not update_baseline else None
    cells = [
        Cell(prompt=length, unit=unit, answer_tokens=answer, stream=stream, users=number, rate=each, counted=counted)
        for stream in {"off": [False], "on": [True], "both": [False, True]}[streaming]
        for unit, lengths in {"words": words or (() if tokens else _PUBLISHED_WORDS), "tokens": tokens or ()}.items()
        for length in lengths
        for number, each, counted in (
            *((number, 0.0, max(answers, -(-20 // number))) for number in users or _published_users(length, rate)),
            *((0, each, seconds) for each in rate or ()),
        )
    ]
    if before and not (words or tokens or users or rate):
        cells = [Cell(**one["cell"]) for one in before["loads"]]
    if before and (reasons := report.incomparable(before, about, [cell.name for cell in cells])):
        fix = "leave --words, --tokens, --users and --rate out, or write it anew: --update-baseline"
        raise UserError("\n".join([f"--check {check}: this run does not compare with it", *reasons, f"fix: {fix}"]))
    for cell in cells:
        prepare(cell.request().inputs, {"max_new_tokens": cell.answer_tokens}, env, stream=cell.stream)
    calibration, limits = Calibration.read(parameters) if parameters else published_calibration(), None
    with suppress(LookupError, ValueError):  # the model has no prediction, then
        limits = router_limits(env.launcher_settings(), env.instance_type)
    hourly, source = price_of(env.region, env.instance_type, price)
    if budget and not hourly:
        raise UserError(f"--budget {budget:g}: there is no price of {env.instance_type}\nfix: add --price")
    paid = (hourly or 0.0) * env.instance_bounds[1]
    hours = sum(duration(cell, calibration, limits, count) for cell in cells) / 3600
    cost = f"{hours * paid:.2f} USD of instances ({source})" if hourly else source
    say(f"Loads: {len(cells)}, about {1 + int(60 * hours)} min{at_speed(speed)}: {cost}", on=progress)
    plan = about | {"cells": [asdict(cell) for cell in cells], "budget_s": budget and budget * 3600 / paid}
    with connected(env, folder) as client:  # what is wrong with credentials or endpoint is said here
        request = cells[0].request()
        client.generate(replace(request, parameters=replace(request.parameters, max_new_tokens=1)))
    failure = _run(plan, out, [*(["--autostart", "--autoquit", "0"] if web else ["--headless"]), *(locust or ())])
    (found, ending), share = measured(out, plan), calibration.concurrency_share
    loads = [report.complete(one, share) for one in found]
    document = about | {"ending": ending, "loads": loads, "runs": report.runs(loads)}
    (out / "report.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    (out / "table.md").write_text(report.markdown(document, share), encoding="utf-8")
    if limits and count == 1 and (figures := report.figures(loads)):  # the picture's lines are of one instance
        plot_benchmark(figures, calibration, limits, out / "table.svg", published_figures())
    if as_json:
        write_json(document)
    elif loads:
        _show(loads, report.CONVENTION.format(share=share) + at_speed(speed) + f"\nwrote {out}")
    if wrong := ([failure] if failure else []) + report.problems(document, before, tolerance):
        wrong += [f"{check} is not written"] * update_baseline
        wrong += [_FIX] * any(one["undriven"] for one in loads)
        raise UserError("\n".join(wrong), INTERRUPTED if failure is None else FAILED, documented=as_json)
    if update_baseline and check:
        check.parent.mkdir(parents=True, exist_ok=True)
        check.write_bytes((out / "report.json").read_bytes())


def _run(plan: Record, out: Path, options: list[str]) -> str | None:
    """Runs Locust, whose gevent changes all of a process, in one of its own. How it failed; None after Ctrl-C."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (out / RECORDS).write_bytes(b"")
    command = [sys.executable, "-m", "locust", "-f", str(Path(report.__file__).with_name("locustfile.py"))]
    command += ["--html", str(out / "locust.html"), "--loglevel", "WARNING", "--only-summary", *options]
    own = {PLAN_VARIABLE: str(out / "plan.json"), "PYTHONUNBUFFERED": "1", "LOCUST_EXIT_CODE_ON_ERROR": "0"}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # of a pipeline that ends: Locust is ended, too
    try:
        run(command, Path(), lambda line: say(line, on=progress) if line[:5] == "load " else None, os.environ | own)
    except CommandFailedError as error:
        failure = f"Locust failed: {error}"
        if not (out / RECORDS).stat().st_size:  # it refused its options, and the report of an earlier run stays
            raise UserError(failure, FAILED) from None
        return failure
    except KeyboardInterrupt:
        return None
    return ""


def _show(loads: list[Record], convention: str) -> None:
    rows, remarks = list[tuple[str, ...]](), Counter[str]()
    length = f", {loads[0]['cell']['answer_tokens']} tokens out"
    for one in loads:
        figures = one["figures"]
        cells = [f"{figures[name]['value']:.4g}" if name in figures else "-" for name in _COLUMNS.values()]
        name = one["name"].replace(length, "") + " (cut short)" * (not one["complete"])
        rows.append((name, *cells, str(one["counted"]), str(sum(one["errors"].values()))))
        remarks += {f"{kind}: {one['messages'][kind]}": number for kind, number in one["errors"].items()}
        remarks["answers that ended by themselves, before their length"] += one["short_answers"]
    say(Table("", (length[2:], *_COLUMNS, "answers", "errors"), rows, numbers=True))
    say("\n".join([convention, *(f"{number} × {remark}" for remark, number in remarks.items() if number)]))


def _published_users(length: int, rate: object) -> list[int]:
    """Of the published prompt of this length, or else the next longer one; none where a rate is asked for."""
    published = [*rows(published_figures())]
    nearest = min((row.input_words for row in published), key=lambda words: (words < length, abs(words - length)))
    return [] if rate else [row.concurrent_users for row in published if row.input_words == nearest]


def _baseline(file: Path) -> Record:
    fix = "write one: mistral7b bench ENVIRONMENT --check FILE --update-baseline"
    with suppress(ValueError, TypeError, LookupError):
        found: Record = json.loads(read_text(file, 10_000_000, fix))
        if TypeAdapter(list[Cell]).validate_python([one["cell"] for one in found["loads"]]) and "instances" in found:
            return found
    raise UserError(f"{file}: no report of this command\nfix: {fix}")
