"""What the statements of a document are collected from, and how what is one's own reads there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mistral7b.environment import Environment
from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import deploy_role_name
from mistral7b.promotion.names import PIPELINE_NAME, gates_project_role_name
from mistral7b_stacks.pipeline import PipelineStack
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import EcrImage, ModelArtifact
from tools.statements import StackStatements

Placeholder = tuple[str, str]
"""A pattern, and what stands for it."""


@dataclass(frozen=True)
class Subject:
    """An environment or a pipeline, with its statements."""

    collected: StackStatements
    promotion: Promotion | None
    """The pipeline; of an environment, the one that promotes it, if any."""
    environment: Environment | None = None
    """The environment; None for a pipeline."""

    @property
    def name(self) -> str:
        """What tells it from others of its kind."""
        return self.collected.name

    @property
    def env(self) -> Environment:
        """The environment, of a subject that is one."""
        assert self.environment is not None
        return self.environment

    @property
    def pipeline(self) -> Promotion:
        """The pipeline, of a subject that is one."""
        assert self.promotion is not None
        return self.promotion

    def readable(self, values: Iterable[str]) -> list[str]:
        """`values` with placeholders for what is this one's alone; each once."""
        patterns = list(self._placeholders())
        readable = []
        for value in values:
            text = value
            for pattern, placeholder in patterns:
                text = re.sub(pattern, placeholder, text)
            readable.append(text)
        return list(dict.fromkeys(readable))

    def _placeholders(self) -> Iterator[Placeholder]:
        """Those whose patterns hold others come first."""
        if self.environment is not None:
            yield from _of_environment(self.environment, self.promotion)
        else:
            yield from _of_pipeline(self.pipeline)
        yield r"\barn:aws(-[a-z-]+)?:", "arn:<partition>:"


def subjects(
    stages: Mapping[str, EnvironmentStage],
    environments: Mapping[str, Environment],
    pipelines: Mapping[str, PipelineStack],
    promotions: Mapping[str, Promotion],
) -> list[Subject]:
    """Every environment and pipeline as a subject.

    Args:
        stages: The environments' stages, by name.
        environments: The environments.
        pipelines: The pipelines' stacks, by whatever tells them apart.
        promotions: The pipeline files, likewise.
    """
    promoted = {one.name: promotion for promotion in promotions.values() for one in promotion.environments}
    return [
        *(
            Subject(StackStatements(name, stage.stacks), promoted.get(name), environments[name])
            for name, stage in stages.items()
        ),
        *(Subject(StackStatements(name, one.stacks), promotions[name]) for name, one in pipelines.items()),
    ]


def _of_environment(environment: Environment, promotion: Promotion | None) -> Iterator[Placeholder]:
    existing = environment.network.existing_vpc
    artifact = ModelArtifact.from_uri(environment.artifact_uri)
    image = EcrImage.from_uri(environment.image_uri)
    endpoint = environment.resolved_endpoint_name
    if promotion is not None:
        yield from _of_promoted(environment, promotion)
    for role in environment.callers.role_names:
        yield _word(f"Caller-{role}"), "Caller-<role>"
    if environment.encryption.kms_key_arn:
        yield _word(environment.encryption.kms_key_arn), "<key ARN>"
    yield r"<Arn of endpoint/(DataCapture)?Key>", "<key ARN>"
    yield "<Arn of endpoint/DataCapture/Bucket>", "arn:<partition>:s3:::<capture bucket>"
    yield "<Arn of endpoint/DataCapture/AccessLog>", "arn:<partition>:s3:::<access log bucket>"
    yield "<endpoint/Network/Vpc>", "<vpc>"
    if existing:
        yield _word(existing.vpc_id), "<vpc>"
    yield _word(artifact.key.rstrip("/")), "<weights>"
    yield _word(artifact.bucket_name), "<weights bucket>"
    yield _word(f"{image.account}:repository/{image.repository}"), "<registry account>:repository/<image>"
    yield _word(f"/mistral7b/{environment.name}/"), "/mistral7b/<environment>/"
    yield _word(endpoint), "<endpoint>"
    yield _word(endpoint.lower()), "<endpoint>"  # SageMaker writes ARNs in lower case
    yield _word(environment.region), "<region>"
    if environment.account:
        yield _word(environment.account), "<account>"


def _of_promoted(environment: Environment, promotion: Promotion) -> Iterator[Placeholder]:
    name, source = environment.name, promotion.settings.source
    yield r"(role/cdk-)\w+-([a-z-]+)-role-(?:<account>|\d{12})-[a-z0-9-]+", r"\1<qualifier>-\2-role-<account>-<region>"
    yield _word(gates_project_role_name(name)), gates_project_role_name("<environment>")
    yield _word(f"mistral-7b-{name}-gate"), "mistral-7b-<environment>-gate"
    yield _word(deploy_role_name(name)), deploy_role_name("<environment>")
    with_ids = re.escape(source.repository.replace("/", "@*/") + "@*")
    for repository, prefix in ((re.escape(source.repository), "prefix"), (with_ids, "prefix with ids")):
        yield rf"repo:{repository}:environment:{name}$", f"<subject {prefix}>:environment:<environment>"
        yield rf"repo:{repository}:ref:.+$", f"<subject {prefix}>:ref:refs/heads/<branch>"
    yield r"<github/Provider>|<Arn of github/Provider>|arn:[^ ]+:oidc-provider/[^ ]+", "<GitHub's provider>"
    if environment.account:
        yield _word(promotion.settings.account), "<pipeline's account>"


def _of_pipeline(promotion: Promotion) -> Iterator[Placeholder]:
    settings = promotion.settings
    others = sorted({one.region for one in promotion.environments} - {settings.region})
    names = "|".join(re.escape(one.name) for one in promotion.environments)
    bootstrap = r"role/cdk-\w+-([a-z-]+)-role-\d{12}-[a-z0-9-]+"
    own, theirs = "<account>", "<environment's account>"
    yield rf"iam::{settings.account}:{bootstrap}", rf"iam::{own}:role/cdk-<qualifier>-\1-role-{own}-<its region>"
    yield rf"iam::\d{{12}}:{bootstrap}", rf"iam::{theirs}:role/cdk-<qualifier>-\1-role-{theirs}-<its region>"
    yield rf"iam::\d{{12}}:role/mistral-7b-(?:{names})-gate", f"iam::{theirs}:role/mistral-7b-<environment>-gate"
    yield rf"^Builds/(?:{names})-", "Builds/<environment>-"
    yield rf"{PIPELINE_NAME}-(?:{names})-", f"{PIPELINE_NAME}-<environment>-"
    yield rf"{PIPELINE_NAME}/(?:{names})/", f"{PIPELINE_NAME}/<environment>/"
    yield (
        r"<ConnectionArn of pipeline/Connection>|arn:aws[a-z-]*:code[a-z-]+:[^ ]+:connection/[^ ]+",
        "<connection ARN>",
    )
    yield r"\bcode(star-)?connections:", "<prefix of the connection's ARN>:"
    yield rf"= {re.escape(settings.source.repository)}$", "= <repository>"
    yield rf"= {re.escape(settings.source.branch)}$", "= <branch>"
    yield r"<Arn of pipeline[a-z0-9-]*/(Artifacts/)?Key>", "<key ARN>"
    yield r"<Arn of pipeline[a-z0-9-]*/Artifacts/Bucket>", "arn:<partition>:s3:::<artifact bucket>"
    yield r"<Arn of pipeline[a-z0-9-]*/Artifacts/AccessLog>", "arn:<partition>:s3:::<access log bucket>"
    for region in others:
        yield rf"s3:::{PIPELINE_NAME}-{settings.account}-{region}", "s3:::<artifact bucket of the other region>"
        yield rf"^pipeline-{region}$", "pipeline-<region>"
        yield _word(region), "<other region>"
    yield _word(settings.region), "<region>"
    yield _word(settings.account), "<account>"


def _word(literal: str) -> str:
    """Matches `literal` where it is not part of a longer name."""
    before = r"(?<![\w-])" if literal[0].isalnum() else ""
    after = r"(?![\w-])" if literal[-1].isalnum() else ""
    return f"{before}{re.escape(literal)}{after}"
