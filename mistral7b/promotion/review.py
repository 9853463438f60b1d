"""Whether a deployment would broaden IAM permissions or open security groups, as the CDK sees it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from mistral7b.environment.suggest import nearest
from mistral7b.process import CommandFailedError, run
from mistral7b.promotion.names import PIPELINE_ID

# `cdk diff` ends with this line, whether there are differences or not. With --security-only it counts the stacks that
# broaden IAM permissions or open security groups, and prints these alone (aws-cdk 2.1148.1, CdkToolkit.diff).
_COUNT = re.compile(r"Number of stacks with differences: (\d+)$")
_CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")
# What the CDK says to someone who is about to deploy.
_CONFIRMATIONS = ("This deployment will make potentially sensitive changes", "Please confirm you intend")


class ReviewError(Exception):
    """Nobody knows whether the deployment broadens anything; the text says why.

    `wrong_call` says whether the arguments are to blame, not the accounts.
    """

    def __init__(self, message: str, *, wrong_call: bool = False) -> None:
        super().__init__(message)
        self.wrong_call = wrong_call


@dataclass(frozen=True)
class Review:
    """What a deployment would change of what someone may do."""

    environment: str
    """The environment that would be deployed to, or `PIPELINE_ID`."""
    stacks: int
    """How many of its stacks broaden IAM permissions or open security groups."""
    changes: str
    """The CDK's tables of these changes; empty where there are none."""

    @property
    def broadens(self) -> bool:
        """Whether any stack does."""
        return self.stacks > 0


def review(cdk: Path, assembly: Path, environment: str, folder: Path) -> Review:
    """Compares the stacks of an environment, or of the pipeline, in a cloud assembly with what is deployed.

    Templates are compared, which takes the lookup role of the environment's account alone: a change set, the CLI's
    default, takes the deploy role and uploads the templates. No parameter of theirs says who may do what.

    Args:
        cdk: the CDK CLI.
        assembly: a folder with a cloud assembly.
        environment: a stage of it, or `PIPELINE_ID` for the pipeline's stack with those that it depends on.
        folder: where the CLI runs.

    Raises:
        ReviewError: there is no such assembly or stage in it, or the CDK could not compare.
    """
    patterns = _reviewable(assembly)
    if environment not in patterns:
        guess = nearest(environment, list(patterns))
        suggestion = f"did you mean {guess}? " if guess else ""
        there = f"{suggestion}There are {', '.join(patterns)}" if patterns else "synthesize it anew: cdk synth"
        message = f"{assembly} holds no environment {environment!r}\nfix: {there}"
        raise ReviewError(message, wrong_call=True)
    command = [str(cdk), "--app", str(assembly.resolve()), "--no-color", "diff", patterns[environment]]
    try:
        output = run([*command, "--security-only", "--method=template"], folder, lambda _: None)
    except CommandFailedError as error:
        fix = "fix: `mistral7b pipeline check` says which account lacks what"
        raise ReviewError(f"the CDK could not compare {environment} with what is deployed.\n{error}\n{fix}") from error
    except OSError as error:
        fix = "run the command in the project's folder, after `make setup`"
        raise ReviewError(f"the CDK CLI cannot be run: {error}\nfix: {fix}", wrong_call=True) from error
    return Review(environment, *_read(output))


def _reviewable(assembly: Path) -> dict[str, str]:
    """What can be reviewed of a cloud assembly, each with the CDK's pattern of its stacks."""
    try:
        artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
        stages = [a["properties"]["displayName"] for a in artifacts.values() if a.get("type") == "cdk:cloud-assembly"]
        pipeline = [PIPELINE_ID] if PIPELINE_ID in artifacts else []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fix = f"fix: make one: cdk synth --output {assembly}"
        raise ReviewError(f"{assembly} is no cloud assembly: {error}\n{fix}", wrong_call=True) from error
    return {stage: f"{stage}/*" for stage in stages} | {own: own for own in pipeline}


def _read(output: str) -> tuple[int, str]:
    """How many stacks broaden permissions, and the tables, of what the CDK has printed."""
    lines = [_CONTROL_SEQUENCE.sub("", line).rstrip() for line in output.splitlines()]
    counts = [int(match[1]) for line in lines if (match := _COUNT.search(line))]
    if len(counts) != 1:
        raise ReviewError(f"the CDK has not said how many stacks differ:\n{output}")
    shown = [line for line in lines if not line.startswith(_CONFIRMATIONS) and not _COUNT.search(line)]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(shown)).strip()
    return counts[0], text if counts[0] else ""
