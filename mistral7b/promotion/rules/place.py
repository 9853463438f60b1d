"""Where the pipeline, its repository and its environments are, and what one place can have only once."""

import re
from pathlib import Path

from mistral7b.environment.uniqueness import shared
from mistral7b.promotion.regions import PIPELINE_REGIONS, partition
from mistral7b.promotion.unvalidated_pipeline import Findings, UnvalidatedPipeline, rule
from mistral7b.yamlfile import Finding, with_guess

_GITHUB_OWNER = r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}"
_NAME = r"[A-Za-z0-9._-]{1,100}"
_GITLAB_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?"
# Form and example of FullRepositoryId (CodePipeline user guide, CodeStarSourceConnection) by provider: names as
# GitHub's, GitLab's ("Reserved project and group names") and Bitbucket's documentation have them.
_REPOSITORY = {
    "github": (rf"{_GITHUB_OWNER}/{_NAME}", "owner/name"),
    "gitlab": (rf"{_GITLAB_PART}(?:/{_GITLAB_PART}){{1,20}}", "group/name or group/subgroup/name"),
    "bitbucket": (rf"[a-z0-9_-]{{1,62}}/{_NAME}", "workspace/name, in the letters of its address"),
}


@rule("region")
def _region_has_pipelines_and_connections(pipeline: UnvalidatedPipeline) -> Findings:
    """The pipeline is in a region with CodePipeline and CodeConnections, its environments in the same partition.
    Source: botocore, endpoints.
    """
    region = pipeline.settings.region
    if region not in PIPELINE_REGIONS:
        fix = f"use one of {', '.join(PIPELINE_REGIONS)}; environments can be in others"
        reason = "CodePipeline with CodeConnections is in no such region"
        yield Finding("region", reason, with_guess(region, PIPELINE_REGIONS, fix))


@rule("region", "environments.name")
def _environments_are_in_the_pipelines_partition(pipeline: UnvalidatedPipeline) -> Findings:
    """The pipeline is in a region with CodePipeline and CodeConnections, its environments in the same partition.
    Source: botocore, endpoints.
    """
    own = partition(pipeline.settings.region)
    for field, promoted in pipeline.promoted:
        environment = pipeline.environments.get(promoted.name)
        if environment is not None and partition(environment.region) != own:
            reason = (
                f"it is in {environment.region}, of partition {partition(environment.region)}, and the pipeline in "
                f"{own}: no account of one can give access to those of the other"
            )
            yield Finding(f"{field}.name", reason, "leave it out; deploy it by itself")


@rule("account", "environments.name")
def _nothing_is_there_twice(pipeline: UnvalidatedPipeline) -> Findings:
    """Environments that the pipeline puts into one account and region have nothing that it can have once. Source:
    SageMaker API, CreateEndpoint; EC2.
    """
    names = [promoted.name for promoted in pipeline.settings.environments]
    placed = {
        name: environment.model_copy(update={"account": pipeline.account_of(name)})
        for name, environment in pipeline.environments.items()
    }
    for problem in shared(placed, pipeline.folder):
        name = Path(problem.file).stem
        what = f"{problem.reason} ({problem.field} {problem.value}; {name} is in account {placed[name].account})"
        yield Finding(f"environments.{names.index(name)}.name", what, problem.fix)


@rule("source.connection_arn", "account")
def _connection_is_the_accounts(pipeline: UnvalidatedPipeline) -> Findings:
    """Its partition and account are the pipeline's; it works for every region.

    A connection by its ARN, of the pipeline's account, from any region: connections are global. Source:
    CodeConnections user guide, global resources.
    """
    own_account, own = pipeline.settings.account, partition(pipeline.settings.region)
    if pipeline.settings.source.connection_arn is None:
        return
    _, arn_partition, _, _, account, _ = pipeline.settings.source.connection_arn.split(":", 5)
    if account != own_account:
        reason = f"it is a connection of account {account}, and the pipeline is in {own_account}"
        yield Finding("source.connection_arn", reason, f"use a connection of {own_account}, or leave it out")
    elif arn_partition != own:
        reason = f"it is a connection of partition {arn_partition}, and the pipeline's is {own}"
        yield Finding("source.connection_arn", reason, "use a connection of the pipeline's account, or leave it out")


@rule("source.repository", "source.provider")
def _repository_is_named_as_its_host_names_it(pipeline: UnvalidatedPipeline) -> Findings:
    """A repository as its host names it: `owner/name`, on GitLab also in subgroups. Source: CodePipeline user guide,
    CodeStarSourceConnection.
    """
    source = pipeline.settings.source
    pattern, example = _REPOSITORY[source.provider]
    name = source.repository.rsplit("/", 1)[-1]
    if not re.fullmatch(pattern, source.repository) or name in (".", "..") or name.endswith(".git"):
        reason = f"{source.provider} names no repository like that"
        yield Finding("source.repository", reason, f"write {example}, without https:// and .git")
