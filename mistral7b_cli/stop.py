"""`mistral7b stop`: deletes an environment's endpoint for a while."""

from typing import Annotated, Any

import typer

from mistral7b.environment import Environment, load_environment
from mistral7b.errors import NO_ACCESS, UserError
from mistral7b.operate import hours
from mistral7b.operate.costs import MONTH_HOURS, hours_stopped, price_of
from mistral7b_cli.aws import announce, clients, explained, not_deployed
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import confirmed, progress, say, write_json


def stop(
    name: EnvironmentName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Delete the endpoint of an environment for a while; its configuration and model stay.

    `mistral7b start` creates it again. Until then instances cost nothing, callers get a ValidationError, and an update
    of the stack fails. An environment that scales cannot be stopped.
    """
    env = load_environment(folder, name)
    with explained(env.region, what="the endpoint was not stopped"):
        session = announce(f"environment {name}", env.region, env.account, folder / f"{name}.yaml", must_know=True)
        client = clients(session, env.region)
        found = deployed(hours.find(client, env), env)
        saved = _saved(env)
        if running := found.status not in (None, "Deleting"):
            _tell(env, found.name, saved)
            if not yes:
                confirmed("Delete the endpoint?")
            hours.stop(client, found)
    if as_json:
        return write_json({"environment": name, "endpoint": found.name, "stopped": running, **saved})
    say(f"{found.name} is stopped{'' if running else ' already'}. To start it, in some ten minutes:")
    say(f"mistral7b start {name}")
    if env.office_hours:
        say(f"Office hours start it, too: {env.office_hours.weekdays} {env.office_hours.time_zone}, Monday to Friday")
    return None


def deployed(found: hours.Deployed | None, env: Environment) -> hours.Deployed:
    """What was found. Raises UserError: there is nothing."""
    if found is None:
        raise UserError(not_deployed(env.name, env.region), NO_ACCESS)
    return found


def _saved(env: Environment) -> dict[str, Any]:
    price, source = price_of(env.region, env.instance_type)
    hourly = None if price is None else price * env.instance.count
    monthly = None if hourly is None else round(hourly * (hours_stopped(env) or MONTH_HOURS))
    return {"usd_per_hour": hourly, "usd_per_month": monthly, "price": source}


def _tell(env: Environment, endpoint: str, saved: dict[str, Any]) -> None:
    price, usd = saved["price"], "what its instances cost"
    if saved["usd_per_hour"] is not None:
        while_stopped = "by its office hours" if env.office_hours else "that it stays stopped"
        usd = f"USD {saved['usd_per_hour']:g} an hour, {saved['usd_per_month']} a month {while_stopped}"
    say(f"Stopping {endpoint} saves {usd} ({price}).", on=progress)
    say(f'Until it is started, callers get ValidationError "Endpoint {endpoint} … not found".', on=progress)
