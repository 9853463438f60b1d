"""`mistral7b doctor`: what would fail a deployment some minutes in."""

from contextlib import suppress
from functools import partial
from pathlib import Path

from mistral7b.environment import load_environment
from mistral7b.errors import UserError
from mistral7b.operate.account import CHECKS
from mistral7b.operate.checks import Target, run
from mistral7b.operate.place import Place
from mistral7b.project import bootstrap
from mistral7b.promotion import load_promotion
from mistral7b.promotion.check.checks import named_roles
from mistral7b.promotion.check.cloud import Cloud
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.findings import report
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder


def doctor(name: EnvironmentName, as_json: AsJson = False, folder: EnvironmentsFolder = DEFAULT_FOLDER) -> None:
    """Check, before a deployment, that the account has what the environment file requires.

    Each check is ok, a warning, a failure (which would fail the deployment) or not checked, for want of a permission.
    What is not ok comes with the command or the field that fixes it. Nothing is changed: the command only reads, which
    `operators.role_names` in the environment file allows roles to do. The exit code is 1 if a check fails.
    """
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    promotion = None
    with suppress(UserError):  # a file of another environment may be wrong
        promotion = load_promotion(folder)
    with explained(env.region, what="the account could not be called"):
        announce(f"environment {name}", env.region, env.account, file, must_know=True)
        cloud = Cloud()
        account = env.account or cloud.own_account(env.region)
    roles = named_roles(promotion, name)
    deploys_from = promotion.settings.account if promotion and roles and env.account else account
    place = Place(account, env.region, (name,), deploys_from, bootstrap(Path.cwd()))
    target = Target(place, lambda service: cloud.client(service, env.region), str(file), env, roles)
    report(partial(run, [(check, target) for check in CHECKS]), {"environment": name} if as_json else None)
