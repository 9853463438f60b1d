"""`mistral7b bootstrap-policy`: what CloudFormation may do in an account that is bootstrapped for this project."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.catalog import partition
from mistral7b.environment import load_environment
from mistral7b.operate.execution_policy import documents
from mistral7b.operate.permissions import read_policies
from mistral7b.operate.place import Place
from mistral7b.project import bootstrap
from mistral7b.promotion import load_promotion
from mistral7b.promotion.names import PIPELINE_ID
from mistral7b_cli.options import DEFAULT_FOLDER, EnvironmentsFolder
from mistral7b_cli.output import say
from mistral7b_cli.synthesis import synthesized


def bootstrap_policy(
    names: Annotated[list[str] | None, typer.Argument(metavar="ENVIRONMENT|pipeline", help="Default: all.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write them.")] = Path(
        "bootstrap-policies"
    ),
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Write the policies that CloudFormation needs to deploy the environments and the pipeline, and no more.

    `cdk bootstrap` lets CloudFormation act as an administrator unless it is given policies. These hold the actions of
    CloudFormation's resource handlers for the types in your templates, on your templates' names. AWS is not called.
    """
    for name in set(names or []) - {PIPELINE_ID}:
        load_environment(folder, name)
    promotion = load_promotion(folder)
    with synthesized(folder) as assembly:
        stacks = read_policies(assembly)
    wanted = [one for one in stacks if not names or (one.name.rpartition("/")[0] or PIPELINE_ID) in names]
    if promotion:  # what names no account is in the pipeline's
        wanted = [replace(one, account=one.account.replace("*", promotion.settings.account)) for one in wanted]
    output.mkdir(parents=True, exist_ok=True)
    for account in sorted({one.account for one in wanted}):
        own, arns = [one for one in wanted if one.account == account], list[str]()
        owner = "ACCOUNT" if account == "*" else account
        say(f"{owner}: {', '.join(one.name for one in own)}")
        for number, document in enumerate(documents(own), 1):
            file, name = output / f"{owner}-{number}.json", f"mistral-7b-deployment-{number}"
            file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            arns.append(f"arn:{partition(own[0].region)}:iam::{owner}:policy/{name}")
            say(f"aws iam create-policy --policy-name {name} --policy-document {shlex.quote(f'file://{file}')}")
        trusted = promotion.settings.account if promotion else owner
        for region in sorted({one.region for one in own}):
            place = Place(owner, region, (), trusted, bootstrap(Path.cwd()))
            say(f"cdk {' '.join(place.cdk_arguments(policies=','.join(arns)))}\n")
