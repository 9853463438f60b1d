"""`mistral7b protect`: whether deployed stacks can be removed, as the file says."""

from collections.abc import Sequence
from pathlib import Path

from mistral7b.environment import load_environment
from mistral7b.errors import NO_ACCESS, UserError
from mistral7b.operate.place import Place
from mistral7b.operate.stacks import find
from mistral7b.operate.stacks import protect as change
from mistral7b.project import bootstrap
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_STACK_NAME, environment_stacks, replica_stack
from mistral7b_cli.aws import announce, explained, not_deployed
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder, promotion_of
from mistral7b_cli.output import say, write_json


def protect(name: EnvironmentName, as_json: AsJson = False, folder: EnvironmentsFolder = DEFAULT_FOLDER) -> None:
    """Protect the deployed stacks of an environment, or of `pipeline`, from removal, or end that, as its file says.

    Run it after each `cdk deploy`, which turns termination protection off; CodePipeline leaves it as it is. A stack
    whose first deployment failed is never protected, as it has to be deleted before it is deployed again. The command
    assumes the deploy role of the CDK's bootstrap, as `cdk deploy` does.
    """
    wanted, account, stacks = _wanted(name, folder)
    done = []
    fix = "use credentials that may assume the deploy role of the CDK's bootstrap, as cdk deploy does"
    for region, names in stacks.items():
        with explained(region, what="termination protection could not be set", fix=fix):
            announce(f"stacks of {name}", region, must_know=True)
            cloud = Cloud()
            place = Place(account or cloud.own_account(region), region, bootstrap=bootstrap(Path.cwd()))
            client = cloud.acting_as(place.role_arn("deploy"), region)("cloudformation")
            for found in find(client, names):
                changed = change(client, found, wanted=wanted)
                state = {"protected": found.protected != changed, "changed": changed}
                done.append({"stack": found.name, "status": found.status, **state})
    if not done:
        raise UserError(not_deployed(name, " and ".join(stacks)), NO_ACCESS)
    if as_json:
        write_json({"environment": name, "termination_protection": wanted, "stacks": done})
        return
    for one in done:
        is_now = f"{'protected' if one['protected'] else 'not protected'} {'now' if one['changed'] else '(unchanged)'}"
        say(f"{one['stack']} ({one['status']}): {is_now}")
    if wanted:
        steps = f"set termination_protection: false, then mistral7b protect {name}, then cdk destroy"
        say(f"To remove a protected stack: {steps}")


def _wanted(name: str, folder: Path) -> tuple[bool, str | None, dict[str, Sequence[str]]]:
    """Whether protection is wanted, the account if the file names it, and by region the stacks' names."""
    if name != PIPELINE_ID:
        env = load_environment(folder, name)
        return env.termination_protection, env.account, {env.region: environment_stacks(name)}
    promotion = promotion_of(folder)
    settings = promotion.settings
    stacks: dict[str, Sequence[str]] = {one.region: [replica_stack(one.region)] for one in promotion.environments}
    return settings.termination_protection, settings.account, stacks | {settings.region: [PIPELINE_STACK_NAME]}
