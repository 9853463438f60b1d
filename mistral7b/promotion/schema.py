"""The schema of pipeline.yaml: fields, types, ranges and defaults; and what is promoted by it. Rules are in `rules`."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field

from mistral7b.environment import Environment, limits
from mistral7b.environment.schema import CompliancePack, CompliancePacks, Tags, for_editors, listed
from mistral7b.operate.place import Place
from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap
from mistral7b.promotion import validators
from mistral7b.yamlfile import Section, pattern

PIPELINE_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""Where both CodePipeline and CodeConnections are (botocore's endpoints, codestar-connections), outside GovCloud,
where JumpStart has no Mistral 7B. China has no CodeConnections."""

Command = Annotated[str, AfterValidator(validators.command), Field(max_length=validators.LONGEST_COMMAND)]
"""One line for a shell."""


class Source(Section):
    """The repository whose commits are promoted."""

    provider: Literal["github", "gitlab", "bitbucket"] = "github"
    """Host of the repository."""
    repository: Annotated[str, Field(max_length=200)]
    """`owner/name`; for GitLab also `group/subgroup/name`."""
    branch: Annotated[str, AfterValidator(validators.branch)] = "main"
    """The branch whose commits are promoted."""
    connection_arn: Annotated[str, validators.CONNECTION_ARN] | None = None
    """An existing connection of CodeConnections. Default: a new one, PENDING until you complete it in the console."""


class Build(Section):
    """Commands of the build, each in a shell in the repository's folder."""

    setup: Command = "make setup"
    """The command that every action runs first."""
    test: Command = "make check"
    """The command that has to succeed before anything is deployed."""


class Benchmark(Section):
    """The last gate: `mistral7b bench` measures the loads of an earlier report again and fails if it is worse."""

    baseline: Annotated[str, pattern(r"(\w[\w. -]*/)*\w[\w. -]*\.json", "write it like benchmarks/staging.json")]
    """The earlier `report.json`, by its path in the repository. `mistral7b bench ENVIRONMENT --check FILE
    --update-baseline` writes it."""
    tolerance_percent: Annotated[int, Field(ge=0, le=100)] = 10
    """Percent by which a figure may be worse. Differences within its noise never count."""
    budget_usd: Annotated[float, Field(ge=0.01, le=1000)] | None = None
    """What the instances may cost during the run. Beyond it, the run and the gate fail. Default: no limit."""

    def command(self, environment: str, setup: str) -> str:
        """What the gate runs: the set-up of the other actions has no Locust."""
        budget = f" --budget {self.budget_usd:g}" if self.budget_usd else ""
        check = f"--check {shlex.quote(self.baseline)} --tolerance {self.tolerance_percent}%{budget}"
        return f"export INSTALL=bench; {setup} && .venv/bin/mistral7b bench {environment} {check}"


class Promoted(Section):
    """One environment of the promotion."""

    name: str
    """The environment: its file is `environments/NAME.yaml`. `common` and `pipeline` are reserved names."""
    gates: list[Command] = []
    """Commands after the smoke test, in order; each has to succeed before the next environment is deployed."""
    benchmark: Benchmark | None = None
    """Default: none."""
    quiet_minutes: Annotated[int, Field(ge=0, le=30)] = 0
    """Minutes after the deployment in which none of the environment's `alarms` may be on, for its smoke test to pass.
    docs/promotion.md says what they cost. Default: alarms are not checked."""
    approval: bool | None = None
    """Whether someone has to approve the deployment. Default: true for production, and required there."""


class Notifications(Section):
    """Who gets a message when an execution ends or an approval waits."""

    emails: limits.Emails = []
    """E-mail addresses; SNS asks each of them to confirm."""


class Artifacts(Section):
    """The files that actions pass to each other."""

    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days after which artifacts are deleted. Until then a stage can be retried."""


class GitHubActions(Section):
    """Deployments from workflows of GitHub Actions."""

    oidc_provider_arns: Annotated[
        list[Annotated[str, validators.OIDC_PROVIDER_ARN]], AfterValidator(limits.unique_items)
    ] = []
    """Existing OpenID Connect providers for GitHub. An account can have one; the stacks create the missing ones."""
    subject_prefix: str | None = None
    """How the `sub` of the repository's tokens begins: `repo:OWNER@ID/NAME@ID` for repositories made, renamed or moved
    since July 15, 2026. Default: this form with any ids, and `repo:OWNER/NAME`, as for older ones."""


class PipelineSettings(Section):
    """The pipeline, from a commit to production."""

    account: Annotated[str, limits.ACCOUNT_ID]
    """AWS account of the pipeline itself: 12 digits in quotes, such as "444455556666". Environments whose file names
    none are in it, too."""
    region: Annotated[str, listed(lambda: PIPELINE_REGIONS)]
    """AWS region of the pipeline."""
    source: Source
    build: Build = Field(default_factory=Build)
    environments: Annotated[list[Promoted], Field(min_length=1)]
    """Environments in the order of promotion."""
    notifications: Notifications = Field(default_factory=Notifications)
    artifacts: Artifacts = Field(default_factory=Artifacts)
    github_actions: GitHubActions | None = None
    """For a team that uses GitHub Actions in place of CodePipeline, or in addition. Default: none."""
    compliance_packs: CompliancePacks = [*get_args(CompliancePack)]
    """Rule packs of cdk-nag that the pipeline's stack has to pass."""
    termination_protection: bool = False
    """Whether `mistral7b protect pipeline`, which the pipeline runs, protects its own stacks from removal."""
    tags: Tags = {}
    """Tags of the pipeline's resources."""


@dataclass(frozen=True)
class PromotedEnvironment:
    """One environment on the way."""

    environment: Environment
    account: str
    """The environment's, or the pipeline's if its file names none."""
    gates: tuple[str, ...]
    approval: bool
    quiet_minutes: int = 0

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.environment.name

    @property
    def region(self) -> str:
        """The region that it is in."""
        return self.environment.region


@dataclass(frozen=True)
class Promotion:
    """What pipeline.yaml says, with the environments that it names."""

    settings: PipelineSettings
    file: Path
    environments: tuple[PromotedEnvironment, ...]
    """In the order of promotion."""

    def places(self, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> list[Place]:
        """Every account and region that it deploys to, the pipeline's own first, each once with all that is in it.

        Where an environment is in another region, the pipeline's own account has a stack there, too: CloudFormation of
        that region takes the templates from its bucket.
        """
        own = self.settings.account
        used: dict[tuple[str, str], list[str]] = {(own, self.settings.region): ["pipeline"]}
        for environment in self.environments:
            own_stack = used.setdefault((own, environment.region), [])
            if "pipeline" not in own_stack:
                own_stack.append("pipeline")
            used.setdefault((environment.account, environment.region), []).append(environment.name)
        return [Place(account, region, tuple(users), own, bootstrap) for (account, region), users in used.items()]


def json_schema() -> dict[str, Any]:
    """The JSON schema of the pipeline file, for editors."""
    return for_editors(PipelineSettings, "Mistral 7B pipeline")
