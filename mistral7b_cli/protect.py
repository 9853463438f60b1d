"""`mistral7b protect`: whether deployed stacks can be removed, as the file says."""

from collections.abc import Sequence
from pathlib import Path

import typer

from mistral7b.environment import load_environment
from mistral7b.project import bootstrap
from mistral7b.promotion import PIPELINE_FILE, load_promotion
from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_STACK_NAME, environment_stacks, replica_stack
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import out, write_json
from mistral7b_cli.target import announce

_EPILOG = """
**Examples**

`cdk deploy 'prod/*' && mistral7b protect prod`

To remove prod: set `termination_protection: false`, then `mistral7b protect prod` and `cdk destroy 'prod/*'`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("protect", epilog=_EPILOG)(protect)


def protect(name: EnvironmentName, as_json: AsJson = False, folder: EnvironmentsFolder = DEFAULT_FOLDER) -> None:
    """Protect the deployed stacks of an environment, or of `pipeline`, from removal, or end that, as its file says.

    Run it after each `cdk deploy`, which turns termination protection off; CodePipeline leaves it as it is. A stack
    whose first deployment failed is never protected, as it has to be deleted before it is deployed again. The command
    assumes the deploy role of the CDK's bootstrap, as `cdk deploy` does.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - boto3 takes a moment to load

    from mistral7b.endpoint import EndpointError  # noqa: PLC0415
    from mistral7b.operate.stacks import find  # noqa: PLC0415
    from mistral7b.operate.stacks import protect as change  # noqa: PLC0415
    from mistral7b.promotion.check import Cloud  # noqa: PLC0415
    from mistral7b.promotion.check.bootstrap import Place  # noqa: PLC0415
    from mistral7b_cli.advice import explain_caller  # noqa: PLC0415

    wanted, account, stacks = _wanted(name, folder)
    cloud, done = Cloud(), []
    try:
        for region, names in stacks.items():
            announce(f"stacks of {name}", region, must_know=True)
            own = account or cloud.own_account(region)
            role = Place(own, region, (name,), own, bootstrap(Path.cwd())).role_arn("deploy")
            client = cloud.client("cloudformation", region, cloud.assume(role, region))
            for found in find(client, names):
                changed = change(client, found, wanted=wanted)
                state = {"protected": found.protected != changed, "changed": changed}
                done.append({"stack": found.name, "status": found.status, **state})
    except EndpointError as error:
        raise CommandError(explain_caller(error, region), 2) from error
    except (BotoCoreError, ClientError) as error:
        fix = "fix: use credentials that may assume the deploy role of the CDK's bootstrap, as cdk deploy does"
        raise CommandError(f"termination protection could not be set: {error}\n{fix}") from error
    if not done:
        raise CommandError(f"{name} is not deployed: it has no stack\nfix: deploy it, then mistral7b protect {name}")
    if as_json:
        write_json({"environment": name, "termination_protection": wanted, "stacks": done})
        return
    for one in done:
        is_now = f"{'protected' if one['protected'] else 'not protected'} {'now' if one['changed'] else 'as before'}"
        out.print(f"{one['stack']} ({one['status']}): {is_now}", soft_wrap=True)
    if wanted:
        steps = f"set termination_protection: false, then mistral7b protect {name}, then cdk destroy"
        out.print(f"To remove a protected stack: {steps}", soft_wrap=True)


def _wanted(name: str, folder: Path) -> tuple[bool, str | None, dict[str, Sequence[str]]]:
    """Whether protection is wanted, the account if the file names it, and by region the stacks' names."""
    if name != PIPELINE_ID:
        env = load_environment(folder, name)
        return env.termination_protection, env.account, {env.region: environment_stacks(name)}
    promotion = load_promotion(folder)
    if promotion is None:
        raise CommandError(f"{folder} holds no {PIPELINE_FILE}\nfix: run the command in the project's folder", 2)
    settings = promotion.settings
    stacks: dict[str, Sequence[str]] = {one.region: [replica_stack(one.region)] for one in promotion.environments}
    return settings.termination_protection, settings.account, stacks | {settings.region: [PIPELINE_STACK_NAME]}
