"""Whether a deployment would broaden IAM permissions or open security groups: templates, compared grant by grant."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mistral7b.catalog import partition
from mistral7b.errors import FAILED, UserError
from mistral7b.operate.stacks import find
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.grants import Grant, grants
from mistral7b.promotion.names import PIPELINE_ID
from mistral7b.yamlfile import Problem, nearest


@dataclass(frozen=True)
class Review:
    """How a deployment would change permissions."""

    environment: str
    """The environment that would be deployed to, or `PIPELINE_ID`."""
    added: frozenset[Grant]
    removed: frozenset[Grant]

    @property
    def broadens(self) -> bool:
        """Whether anything is more than an allowance that is removed or a denial that is added."""
        return bool(self.problems)

    @property
    def problems(self) -> list[Problem]:
        """What broadens, grant by grant: a changed statement is a new one."""
        more = [f"added: {one.text}" for one in self.added if not one.denies]
        more += [f"removed: {one.text}" for one in self.removed if one.denies]
        fix = "have someone approve it, or take it out of the commit"
        return [Problem(self.environment, None, "permissions", None, reason, fix) for reason in sorted(more)]

    @property
    def changes(self) -> list[str]:
        """Each grant on a line, with + or -."""
        signs = {**dict.fromkeys(self.removed, "-"), **dict.fromkeys(self.added, "+")}
        return [f"{signs[one]} {one.text}" for one in sorted(signs, key=lambda one: (one.text, signs[one]))]


def review(cloud: Cloud, assembly: Path, environment: str) -> Review:
    """Compares the stacks of an environment, or of the pipeline, in a cloud assembly with what is deployed.

    It takes the right to assume the bootstrap's lookup role of each stack's account, which may read, and nothing else.
    Raises UserError: there is no such assembly or stage in it; and the errors of boto3.
    """
    try:
        stacks = list(_stacks(assembly, environment))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fix = f"fix: make one: cdk synth --output {assembly}"
        raise UserError(f"{assembly} is no cloud assembly\n{fix}") from error
    added, removed = set[Grant](), set[Grant]()
    for stack, template in stacks:
        deployed, pseudo = _deployed(cloud, stack)
        before, after = set(grants(deployed, pseudo)), set(grants(template, pseudo))
        added |= after - before
        removed |= before - after
    return Review(environment, frozenset(added), frozenset(removed))


def _stacks(assembly: Path, environment: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The stacks' artifacts in the assembly's manifest, each with its template."""
    artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    nested = [one["properties"] for one in artifacts.values() if one["type"] == "cdk:cloud-assembly"]
    folders = {one["displayName"]: assembly / one["directoryName"] for one in nested}
    if PIPELINE_ID in artifacts:
        folders[PIPELINE_ID] = assembly
    if environment not in folders:
        guess = nearest(environment, list(folders))
        there = f"There are {', '.join(folders)}" if folders else "synthesize it anew: cdk synth"
        fix = f"{f'did you mean {guess}? ' if guess else ''}{there}"
        raise UserError(f"{assembly} holds no environment {environment!r}\nfix: {fix}")
    folder = folders[environment]
    for one in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"].values():
        if one["type"] == "aws:cloudformation:stack":
            yield one, json.loads((folder / one["properties"]["templateFile"]).read_text(encoding="utf-8"))


def _deployed(cloud: Cloud, stack: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, str]]:
    """What is deployed in place of a stack, and values of pseudo parameters there.

    The template is empty where nothing is, and where no template says what is: during and after deployments that fail.
    """
    account, region = stack["environment"].removeprefix("aws://").split("/")
    if account == "unknown-account":
        account = cloud.own_account(region)
    pseudo = {"AWS::Partition": partition(region), "AWS::AccountId": account, "AWS::Region": region}
    role = stack["properties"]["lookupRole"]["arn"]
    for name, value in pseudo.items():
        role = role.replace(f"${{{name}}}", value)
    cloudformation = cloud.acting_as(role, region)("cloudformation")
    name = stack["properties"]["stackName"]
    if any(one.deployed and one.status.endswith("_COMPLETE") for one in find(cloudformation, [name])):
        template = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        if not isinstance(template, dict):
            raise UserError(f"stack {name} cannot be compared: its template is no JSON, so not the CDK's", FAILED)
        return template, pseudo
    return {}, pseudo
