"""`mistral7b plan`: settings, instances and scaling for the workload of an environment file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mistral7b.environment import load_environment
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress, write_json
from mistral7b_cli.plan_report import Report

if TYPE_CHECKING:
    from mistral7b.capacity.calibration import Calibration
    from mistral7b.capacity.planner import Plan

_EPILOG = """
The environment file says what traffic comes and how fast it has to be served:

    workload:
      input_tokens: {mean: 400, p95: 1500}      # or a number, or a list of samples
      output_tokens: {mean: 150, p95: 400}
      requests_per_second: {average: 0.6, peak: 2.5}
      objective: {p50_ms_per_token: 60, p95_seconds: 30}

**Examples**

`mistral7b plan prod`

`mistral7b plan prod --price 1.21 --json`

`mistral7b plan prod --plot plan.svg`

Status 2 if no settings keep the objective; the message says which nearest one can be kept. A setting that is `auto` in
the file (`MAX_CONCURRENT_REQUESTS: auto`) is planned whenever the file is read.
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("plan", epilog=_EPILOG)(plan)


def plan(  # noqa: PLR0917 - typer makes an option of each
    name: EnvironmentName,
    price: Annotated[
        float | None, typer.Option(min=0, help="USD per instance-hour. [default: built-in]", show_default=False)
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Performance model that `capacity fit --output` wrote. [default: of the published benchmark]",
            show_default=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw load against latency and cost: .png, .svg, .pdf.", show_default=False),
    ] = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Work out the cheapest settings and instances that serve an environment's workload as fast as it asks for.

    From the performance model of one instance: how many requests in flight keep the objective, how many instances that
    takes at the average and at the peak, and when scaling has to begin so that nobody is refused during the climb.
    """
    from mistral7b.capacity.planner import InfeasibleError  # noqa: PLC0415 - takes a moment to load
    from mistral7b.capacity.planner import plan as work_out  # noqa: PLC0415
    from mistral7b.capacity.planner.check import check  # noqa: PLC0415

    env = load_environment(folder, name)
    file = folder / f"{name}.yaml"
    if env.workload is None:
        raise CommandError(
            f"{file}: workload\n    it is not there, so there is nothing to plan for\n"
            "    fix: add workload:, as `mistral7b plan --help` shows",
            2,
        )
    if plot is not None:
        _check_plot(plot)
    model = _model(parameters).parameters
    try:
        with progress.status("planning …"):
            found = work_out(env.workload, model)
            scenarios = check(found, model)
    except InfeasibleError as error:
        raise CommandError(f"{file}: workload: {error}", 2) from None
    shown = Report(env, found, scenarios, price)
    if as_json:
        write_json(shown.json())
    else:
        shown.print()
    if plot is not None:
        _draw(found, plot, f"{name}: at most {found.settings.max_instances} × {env.instance_type}")


def _model(parameters: Path | None) -> "Calibration":
    from mistral7b.capacity.calibration import Calibration, CalibrationError, published_calibration  # noqa: PLC0415

    try:
        return published_calibration() if parameters is None else Calibration.read(parameters)
    except CalibrationError as error:
        raise CommandError(str(error), 2) from None


def _check_plot(file: Path) -> None:
    from mistral7b.capacity.plots import SUFFIXES  # noqa: PLC0415

    if file.suffix not in SUFFIXES or not file.parent.is_dir():
        raise CommandError(
            f"--plot = {file}\n    it has to be a file in a folder that exists, and end in {', '.join(SUFFIXES)}\n"
            "    fix: write --plot plan.svg",
            2,
        )


def _draw(found: "Plan", file: Path, title: str) -> None:
    from mistral7b.capacity.plots import plot_plan as plot  # noqa: PLC0415

    try:
        plot(found, file, title)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
