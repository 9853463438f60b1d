"""`mistral7b doctor`: what would fail a deployment some minutes in."""

import typer
from rich.text import Text

from mistral7b.cli.connection import explained
from mistral7b.cli.failure import CommandError
from mistral7b.cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b.cli.output import out, write_json
from mistral7b.cli.target import announce
from mistral7b.environment import load_environment

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

    The credentials are of the account that the file names, and every role of `callers` exists. It takes `iam:GetRole`.
    """
    env, file = load_environment(folder, name), folder / f"{name}.yaml"
    with explained(env):
        session = announce(f"environment {name}", env.region, env.account, file, must_know=True)
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - boto3 takes a moment to load

    from mistral7b.operate.caller_roles import fix, missing_roles  # noqa: PLC0415

    try:
        missing = missing_roles(session.client("iam", region_name=env.region), env.callers.role_names)
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"IAM could not be asked for the roles of callers: {error}") from error
    if as_json:
        write_json({"environment": name, "ready": not missing, "missing_roles": missing})
    for role in () if as_json else env.callers.role_names:
        word, style = ("missing", "bold red") if role in missing else ("ok     ", "green")
        out.print(Text.assemble((word, style), f"  role {role}"), soft_wrap=True)
    if missing:
        raise CommandError(f"callers.role_names: no such role in the account\nfix: {fix(missing, file)}")
    if not as_json:
        out.print(f"Nothing was found that would fail: cdk deploy '{name}/*'", soft_wrap=True)
