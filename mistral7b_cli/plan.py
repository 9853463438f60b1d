"""`mistral7b plan`: settings, instances and scaling for the workload of an environment file."""

import typer

from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.planner import InfeasibleError
from mistral7b.capacity.planner import plan as work_out
from mistral7b.capacity.planner.check import check
from mistral7b.capacity.planner.plot import plot as draw
from mistral7b.environment import load_environment
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import (
    DEFAULT_FOLDER,
    AsJson,
    EnvironmentName,
    EnvironmentsFolder,
    ModelFile,
    PlotFile,
    Price,
)
from mistral7b_cli.output import progress, write_json, writing
from mistral7b_cli.plan_report import Report

commands = typer.Typer()
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


@commands.command(epilog=_EPILOG)
def plan(  # noqa: PLR0917 - typer makes an option of each
    name: EnvironmentName,
    price: Price = None,
    parameters: ModelFile = None,
    plot: PlotFile = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Work out the cheapest settings and instances that serve an environment's workload as fast as it asks for.

    From the performance model of one instance: how many requests in flight keep the objective, how many instances that
    takes at the average and at the peak, and when scaling has to begin so that nobody is refused during the climb.
    """
    env = load_environment(folder, name)
    file = folder / f"{name}.yaml"
    if env.workload is None:
        raise CommandError(
            f"{file}: workload\n    it is not there, so there is nothing to plan for\n"
            "    fix: add workload:, as `mistral7b plan --help` shows",
            2,
        )
    model = (Calibration.read(parameters) if parameters else published_calibration()).parameters
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
        with writing(plot):
            draw(found, plot, f"{name}: at most {found.settings.max_instances} × {env.instance_type}")
