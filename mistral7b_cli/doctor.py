"""`mistral7b doctor`: what would fail a deployment some minutes in."""

from functools import partial

import typer
from rich.text import Text

from mistral7b.environment import load_environment
from mistral7b.operate.account import account_problems
from mistral7b.operate.stacks import find
from mistral7b.promotion.names import environment_stacks
from mistral7b.yamlfile import Problem
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import conclude, say

commands = typer.Typer()
_EPILOG = """
**Examples**

$ mistral7b doctor dev && cdk deploy 'dev/*'
"""


@commands.command(epilog=_EPILOG)
def doctor(name: EnvironmentName, as_json: AsJson = False, folder: EnvironmentsFolder = DEFAULT_FOLDER) -> None:
    """Check, before a deployment, that the account has what the environment file requires.

    The credentials are of the account that the file names, every role of `callers` exists, an existing VPC is as the
    file says and takes what the deployment adds to it, SageMaker lets the endpoint change to the file's instance type,
    and no stack that failed its first deployment is protected from removal. It also tells where termination protection
    is not what the file says. It takes `iam:GetRole`, `ec2:Describe*` (for an existing VPC),
    `cloudformation:DescribeStacks`, `sagemaker:DescribeEndpoint`, `sagemaker:DescribeEndpointConfig` and
    `application-autoscaling:DescribeScalableTargets`.
    """
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    with explained(env.region, what="the account could not be called"):
        session = announce(f"environment {name}", env.region, env.account, file, must_know=True)
        client = partial(session.client, region_name=env.region)
        problems = account_problems(client, env, file)
        stacks = list(find(client("cloudformation"), environment_stacks(name)))
    wanted, fix = env.termination_protection, f"mistral7b protect {name}"
    differ = [one.name for one in stacks if one.protected != (wanted and one.deployed)]
    for one in stacks:
        if one.protected and not one.deployed:
            reason = f"{one.name} is {one.status} and protected, so it can neither be deployed again nor removed"
            problems.append(Problem(str(file), None, "termination_protection", wanted, reason, fix))
    if differ and not as_json:
        what = f"termination protection of {', '.join(differ)}: {file} says {str(wanted).lower()}; {fix}"
        say(Text.assemble(("differs", "yellow"), f"  {what}"))
    conclude(problems, {"environment": name, "termination_protection_differs": differ} if as_json else None)
    if not as_json:
        say(f"Nothing was found that would fail: cdk deploy '{name}/*'")
