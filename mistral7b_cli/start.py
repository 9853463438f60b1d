"""`mistral7b start`: creates an environment's endpoint again, from what is deployed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mistral7b.environment import load_environment
from mistral7b.operate import hours
from mistral7b.operate.place import Place
from mistral7b.project import bootstrap
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.names import gate_role_name
from mistral7b_cli.aws import announce, clients, explained
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import say, write_json
from mistral7b_cli.stop import deployed
from mistral7b_cli.waiting import Waiting

_MARGIN_S = 600.0  # for an instance to be had and to boot, besides the file's timeouts


def start(
    name: EnvironmentName,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait until it is in service.")] = False,
    as_pipeline: Annotated[
        bool,
        typer.Option(
            help="Before a deployment: look by the CDK's lookup role, start by the environment's gate role. Does "
            "nothing without office_hours, or where nothing is deployed yet."
        ),
    ] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Create the endpoint of an environment again, with the same name and tags, from the deployed configuration.

    What has changed in the file since needs a deployment, which needs the endpoint: start it first. An endpoint that
    has failed is deleted and created again; one that runs is left as it is.
    """
    env = load_environment(folder, name)
    if as_pipeline and env.office_hours is None:
        return say(f"{name} has no office_hours: nothing to start")
    with explained(env.region, what="the endpoint was not started"):
        account = None if as_pipeline else env.account  # a pipeline's own may be another, which assumes the roles
        session = announce(f"environment {name}", env.region, account, folder / f"{name}.yaml", must_know=True)
        look = act = clients(session, env.region)
        if as_pipeline:
            cloud = Cloud()
            place = Place(env.account or cloud.own_account(env.region), env.region, bootstrap=bootstrap(Path.cwd()))
            look = cloud.acting_as(place.role_arn("lookup"), env.region, seconds=3600)
        found = hours.find(look, env)
        if as_pipeline:
            if found is None or found.status == "InService":  # the role may be deployed only now
                return say(f"{name} is {found.status if found else 'not deployed yet'}: nothing to start")
            gate = f"{place.role_arn('lookup').rpartition('/')[0]}/{gate_role_name(name)}"
            act = cloud.acting_as(gate, env.region, seconds=3600)
        found = deployed(found, env)
        started = hours.start(look, act, found)
        if not no_wait:
            limit = env.timeouts.model_download_seconds + env.timeouts.container_startup_seconds + _MARGIN_S
            with Waiting(f"starting {found.name}: its instances, the weights, the container", 0.0):
                hours.wait(act, found.name, limit)
    if as_json:
        document: dict[str, Any] = {"environment": name, "endpoint": found.name, "was": found.status}
        return write_json({**document, "started": started, "in_service": not no_wait or found.status == "InService"})
    what = "was created again" if started else "was there already"
    return say(f"{found.name} {what}{', and is being started' if no_wait else ', and is in service'}")
