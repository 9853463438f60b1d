"""`mistral7b doctor`: what would fail a deployment some minutes in."""

from dataclasses import asdict
from typing import Any

import typer
from rich.text import Text

from mistral7b.environment import Problem, load_environment
from mistral7b.promotion.names import environment_stacks
from mistral7b_cli.connection import explained
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import out, write_json
from mistral7b_cli.target import announce

_EPILOG = """
**Examples**

`mistral7b doctor dev && cdk deploy 'dev/*'`

Exit status: 0 nothing was found, 1 something would fail, 2 another account's credentials or a wrong file.
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("doctor", epilog=_EPILOG)(doctor)


def doctor(name: EnvironmentName, as_json: AsJson = False, folder: EnvironmentsFolder = DEFAULT_FOLDER) -> None:
    """Check, before a deployment, that the account has what the environment file takes for granted.

    The credentials are of the account that the file names, every role of `callers` exists, an existing VPC is as the
    file says and takes what the deployment adds to it, SageMaker lets the endpoint change to the file's instance type,
    and no stack that failed its first deployment is protected from removal. It also tells where termination protection
    is not what the file says. It takes `iam:GetRole`, `ec2:Describe*` (for an existing VPC),
    `cloudformation:DescribeStacks`, `sagemaker:DescribeEndpoint`, `sagemaker:DescribeEndpointConfig` and
    `application-autoscaling:DescribeScalableTargets`.
    """
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    with explained(env):
        session = announce(f"environment {name}", env.region, env.account, file, must_know=True)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - boto3 takes a moment to load

    from mistral7b.operate.account import account_problems  # noqa: PLC0415
    from mistral7b.operate.stacks import find  # noqa: PLC0415

    def client(service: str) -> Any:
        return session.client(service, region_name=env.region)

    try:
        problems = account_problems(client, env, file)
        stacks = list(find(client("cloudformation"), environment_stacks(name)))
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"the account could not be asked: {error}") from error
    wanted, fix = env.termination_protection, f"mistral7b protect {name}"
    differ = [one.name for one in stacks if one.protected != (wanted and one.deployed)]
    for one in stacks:
        if one.protected and not one.deployed:
            reason = f"{one.name} is {one.status} and protected, so it can neither be deployed again nor removed"
            problems.append(Problem(str(file), None, "termination_protection", wanted, reason, fix))
    if as_json:
        document = {"problems": [asdict(one) for one in problems], "termination_protection_differs": differ}
        write_json({"environment": name, "ready": not problems, **document})
    elif differ:
        what = f"termination protection of {', '.join(differ)}: {file} says {str(wanted).lower()}; {fix}"
        out.print(Text.assemble(("differs", "yellow"), f"  {what}"), soft_wrap=True)
    if problems:
        raise CommandError("\n".join(map(str, problems)))
    if not as_json:
        out.print(f"Nothing was found that would fail: cdk deploy '{name}/*'", soft_wrap=True)
