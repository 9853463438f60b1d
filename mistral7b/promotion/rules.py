"""Rules across fields of pipeline.yaml: what CodePipeline, GitHub or good sense would refuse later is refused here."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mistral7b.catalog import partition
from mistral7b.environment import Environment
from mistral7b.environment.load import no_such_environment
from mistral7b.environment.uniqueness import conflicts
from mistral7b.promotion.github_actions import security_environment
from mistral7b.promotion.names import OWN_STAGES, is_production
from mistral7b.promotion.schema import PIPELINE_REGIONS, PipelineSettings, Promoted
from mistral7b.yamlfile import Finding, Rulebook, with_guess

# CodePipeline user guide, "Quotas in AWS CodePipeline" and "pipeline structure reference".
MOST_STAGES = 50
MOST_ACTIONS = 50
# Review, SecurityChanges, Promote, Prepare, Deploy, Protect, Smoke.
OTHER_ACTIONS = 7
ACTIONS_OF_A_STACK = 2
LONGEST_RETENTION_DAYS = 400
"""Of private repositories; of public ones it is 90 (GitHub, "Configuring the retention period for artifacts")."""

_PRODUCTION_BY_NAME = "production by its name, as one of its words is prod, production or live"
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


@dataclass(frozen=True)
class UnvalidatedPipeline:
    """pipeline.yaml with fields that are right by themselves: what the rules look at."""

    settings: PipelineSettings
    known: tuple[str, ...]
    """Every environment that has a file."""
    environments: Mapping[str, Environment]
    """Those that the pipeline names and whose own files are right, by name."""
    folder: Path

    @property
    def promoted(self) -> Iterator[tuple[str, Promoted]]:
        """Each entry of `environments`, after the name of its field."""
        return ((f"environments.{index}", entry) for index, entry in enumerate(self.settings.environments))

    @property
    def names(self) -> list[str]:
        """The environments in the order of promotion."""
        return [promoted.name for promoted in self.settings.environments]

    def account_of(self, environment: str) -> str:
        """The account of an environment: the pipeline's, unless its file names one."""
        return self.environments[environment].account or self.settings.account


RULES = Rulebook[UnvalidatedPipeline]()
Findings = Iterator[Finding]


@RULES.rule("environments.name")
def _each_has_a_file_and_is_promoted_once(pipeline: UnvalidatedPipeline) -> Findings:
    """Each promoted environment has a file, and is promoted once. Source: this project."""
    for index, name in enumerate(pipeline.names):
        field = f"environments.{index}.name"
        if not pipeline.known:
            yield Finding(field, "there is no environment file beside this one", "add one, such as dev.yaml")
        elif name not in pipeline.known:
            yield Finding(field, *no_such_environment(name, pipeline.known))
        if (first := pipeline.names.index(name)) != index:
            reason = f"it is promoted twice: environments[{first}] has it, too"
            yield Finding(field, reason, "remove one of the two")


@RULES.rule("environments.name")
def _no_two_stages_have_one_name(pipeline: UnvalidatedPipeline) -> Findings:
    """No two stages have one name, whatever the case. Source: CodePipeline user guide, pipeline structure."""
    own = {stage.lower(): stage for stage in OWN_STAGES}
    for field, promoted in pipeline.promoted:
        if promoted.name in own:
            reason = f"the pipeline's own stage {own[promoted.name]} would differ from it only in case"
            yield Finding(f"{field}.name", reason, "rename the environment's file")


@RULES.rule("environments.name")
def _production_comes_last_and_not_first(pipeline: UnvalidatedPipeline) -> Findings:
    """Something that is not production comes before production, and nothing else after it. Source: this project."""
    names = pipeline.names
    first = next((index for index, name in enumerate(names) if is_production(name)), len(names))
    if first == 0:
        others = [other for other in pipeline.known if not is_production(other)]
        what = f"put {' and '.join(others)}" if others else "add an environment, such as staging.yaml,"
        reason = f"{names[0]} is {_PRODUCTION_BY_NAME}, and a change would be tried out there first"
        yield Finding("environments.0.name", reason, f"{what} before it")
        return
    for index in range(first + 1, len(names)):
        if not is_production(names[index]):
            reason = f"it comes after {names[first]}, which is {_PRODUCTION_BY_NAME}"
            yield Finding(f"environments.{index}.name", reason, f"put it before {names[first]}")


@RULES.rule("environments.name", "environments.approval")
def _production_is_approved(pipeline: UnvalidatedPipeline) -> Findings:
    """Someone approves the deployment to production. Source: this project."""
    for field, promoted in pipeline.promoted:
        if is_production(promoted.name) and promoted.approval is False:
            reason = f"{promoted.name} is {_PRODUCTION_BY_NAME}, and is deployed when someone has approved it"
            yield Finding(f"{field}.approval", reason, "remove it, or set it to true")


@RULES.rule("environments")
def _alarms_that_are_quiet_exist(pipeline: UnvalidatedPipeline) -> Findings:
    """Only an environment with alarms can be waited for. Source: this project."""
    for field, promoted in pipeline.promoted:
        environment = pipeline.environments.get(promoted.name)
        if promoted.quiet_minutes and environment and not environment.alarm_names:
            fix = f"add alarms: {{}} to {promoted.name}.yaml, or remove it"
            yield Finding(f"{field}.quiet_minutes", f"{promoted.name} has no alarms", fix)


@RULES.rule("environments")
def _baselines_exist(pipeline: UnvalidatedPipeline) -> Findings:
    """A benchmark needs an earlier report to compare with. Source: this project."""
    repositories = [one for one in pipeline.folder.resolve().parents if (one / "cdk.json").is_file()]
    for field, promoted in pipeline.promoted:
        if (own := promoted.benchmark) and not any((one / own.baseline).is_file() for one in repositories):
            loads = f"--words 512 --users 1,8 --check {shlex.quote(own.baseline)} --update-baseline"
            fix = f"deploy without it; then write and commit the file: mistral7b bench {promoted.name} {loads}"
            yield Finding(f"{field}.benchmark.baseline", "the repository has no such file", fix)


@RULES.rule("environments", "github_actions")
def _stages_and_actions_are_within_quotas(pipeline: UnvalidatedPipeline) -> Findings:
    """2 to 50 stages of 1 to 50 actions. Source: CodePipeline user guide, quotas."""
    most, count = MOST_STAGES - len(OWN_STAGES), len(pipeline.names)
    if count > most:
        reason = f"a pipeline has at most {MOST_STAGES} stages, {len(OWN_STAGES)} of them its own; these are {count}"
        yield Finding("environments", reason, f"promote {most} environments at most")
    roles_for_github = pipeline.settings.github_actions is not None  # in a stack of their own
    others = OTHER_ACTIONS + (ACTIONS_OF_A_STACK if roles_for_github else 0)
    most = MOST_ACTIONS - others
    for field, promoted in pipeline.promoted:
        if len(promoted.gates) + bool(promoted.benchmark) > most:
            reason = f"a stage has {MOST_ACTIONS} actions at most, {others} of them not gates"
            yield Finding(f"{field}.gates", reason, f"join gates to {most} at most: one && the next", None)


@RULES.rule("region", "environments.name")
def _region_and_partition_have_pipelines(pipeline: UnvalidatedPipeline) -> Findings:
    """The pipeline is in a region with CodePipeline and CodeConnections, its environments in the same partition.
    Source: botocore, endpoints.
    """
    region = pipeline.settings.region
    if region not in PIPELINE_REGIONS:
        fix = f"use one of {', '.join(PIPELINE_REGIONS)}; environments can be in others"
        reason = "CodePipeline with CodeConnections is in no such region"
        yield Finding("region", reason, with_guess(region, PIPELINE_REGIONS, fix))
    own = partition(region)
    for field, promoted in pipeline.promoted:
        environment = pipeline.environments.get(promoted.name)
        if environment is not None and partition(environment.region) != own:
            reason = (
                f"it is in {environment.region}, of partition {partition(environment.region)}, and the pipeline in "
                f"{own}: no account of one can give access to those of the other"
            )
            yield Finding(f"{field}.name", reason, "leave it out; deploy it by itself")


@RULES.rule("account", "environments.name")
def _environments_of_one_place_share_nothing(pipeline: UnvalidatedPipeline) -> Findings:
    """Environments that the pipeline puts into one account and region have nothing that it can have once. Source:
    SageMaker API, CreateEndpoint; EC2.
    """
    placed = {
        name: environment.model_copy(update={"account": pipeline.account_of(name)})
        for name, environment in pipeline.environments.items()
    }
    for problem in conflicts(placed, pipeline.folder):
        name = Path(problem.file).stem
        what = f"{problem.reason} ({problem.field} {problem.value}; {name} is in account {placed[name].account})"
        yield Finding(f"environments.{pipeline.names.index(name)}.name", what, problem.fix)


@RULES.rule("source.connection_arn", "account")
def _connection_is_of_the_account(pipeline: UnvalidatedPipeline) -> Findings:
    """A connection by its ARN, of the pipeline's account, from any region: connections are global. Source:
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


@RULES.rule("source.repository", "source.provider")
def _repository_has_a_name_of_its_host(pipeline: UnvalidatedPipeline) -> Findings:
    """A repository as its host names it: `owner/name`, on GitLab also in subgroups. Source: CodePipeline user guide,
    CodeStarSourceConnection.
    """
    source = pipeline.settings.source
    pattern, example = _REPOSITORY[source.provider]
    name = source.repository.rsplit("/", 1)[-1]
    if not re.fullmatch(pattern, source.repository) or name in (".", "..") or name.endswith(".git"):
        reason = f"{source.provider} names no repository like that"
        yield Finding("source.repository", reason, f"write {example}, without https:// and .git")


@RULES.rule("source.provider", "source.repository", "github_actions")
def _repository_is_on_github(pipeline: UnvalidatedPipeline) -> Findings:
    """GitHub Actions need a repository on GitHub, whose tokens begin with its name. Source: GitHub, OpenID Connect
    reference.
    """
    settings = pipeline.settings
    if settings.github_actions is None:
        return
    if settings.source.provider != "github":
        reason = f"the repository is on {settings.source.provider}"
        yield Finding("github_actions", reason, "remove it, or set source.provider to github")
    repository, given = settings.source.repository, settings.github_actions.subject_prefix
    pattern = "repo:" + "/".join(rf"{re.escape(part)}(?:@[0-9]+)?" for part in repository.split("/"))
    if given is not None and not re.fullmatch(pattern, given, re.IGNORECASE | re.ASCII):
        reason = f"tokens of {repository} do not begin with it"
        fix = f"use the answer of: gh api repos/{repository}/actions/oidc/customization/sub --jq .sub_claim_prefix"
        yield Finding("github_actions.subject_prefix", reason, fix)


@RULES.rule("github_actions", "account", "environments")
def _token_providers_are_in_environments_accounts(pipeline: UnvalidatedPipeline) -> Findings:
    """A provider of tokens is GitHub's, in an account of a promoted environment. Source: IAM user guide, OIDC identity
    providers.
    """
    if pipeline.settings.github_actions is None:
        return
    accounts = {pipeline.account_of(name) for name in pipeline.environments}
    own = partition(pipeline.settings.region)
    for index, arn in enumerate(pipeline.settings.github_actions.oidc_provider_arns):
        _, arn_partition, _, _, account, _ = arn.split(":", 5)
        if (arn_partition, account) not in {(own, one) for one in accounts}:
            reason = "no promoted environment is in its account"
            fix = f"remove it; the environments are in {', '.join(sorted(accounts)) or 'no account'}, partition {own}"
            yield Finding(f"github_actions.oidc_provider_arns.{index}", reason, fix)


@RULES.rule("github_actions", "environments", "artifacts")
def _artifacts_and_approvals_suit_github(pipeline: UnvalidatedPipeline) -> Findings:
    """Workflows keep artifacts 400 days at most, and have an environment of its own for each approval. Source: GitHub,
    retention period, environments.
    """
    if pipeline.settings.github_actions is None:
        return
    if pipeline.settings.artifacts.retention_days > LONGEST_RETENTION_DAYS:
        reason = f"GitHub keeps artifacts of workflows {LONGEST_RETENTION_DAYS} days at most, of public repositories 90"
        yield Finding("artifacts.retention_days", reason, f"use {LONGEST_RETENTION_DAYS} or less")
    approvals = {security_environment(name): name for name in pipeline.names}
    for field, promoted in pipeline.promoted:
        if promoted.name in approvals:
            reason = f"the GitHub environment for security changes of {approvals[promoted.name]} has this name"
            yield Finding(f"{field}.name", reason, "rename the environment's file")
