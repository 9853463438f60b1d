"""Where the pipeline and its environments are: accounts, regions, and what one of them can have once."""

from collections.abc import Iterator
from pathlib import Path

from mistral7b.environment.collisions import collisions
from mistral7b.environment.problem import FieldPath
from mistral7b.environment.suggest import nearest
from mistral7b.promotion.draft import Draft
from mistral7b.promotion.regions import PIPELINE_REGIONS, partition
from mistral7b.promotion.rules.registry import Finding, rule


@rule("region")
def _region_has_pipelines_and_connections(draft: Draft) -> Iterator[Finding]:
    region = draft.settings.region
    if region not in PIPELINE_REGIONS:
        guess = nearest(region, PIPELINE_REGIONS)
        suggestion = f"did you mean {guess}? " if guess else ""
        fix = f"{suggestion}Use one of {', '.join(PIPELINE_REGIONS)}; environments can be in others"
        yield Finding(("region",), region, "CodePipeline with CodeConnections is in no such region", fix)


@rule("region", "environments.name")
def _environments_are_in_the_pipelines_partition(draft: Draft) -> Iterator[Finding]:
    own = partition(draft.settings.region)
    for index, promoted in enumerate(draft.settings.environments):
        environment = draft.environments.get(promoted.name)
        if environment is not None and partition(environment.region) != own:
            reason = (
                f"it is in {environment.region}, of partition {partition(environment.region)}, and the pipeline in "
                f"{own}: no account of one lets in those of the other"
            )
            yield Finding(("environments", index, "name"), promoted.name, reason, "leave it out; deploy it by itself")


@rule("account", "environments.name")
def _nothing_is_there_twice(draft: Draft) -> Iterator[Finding]:
    names = [promoted.name for promoted in draft.settings.environments]
    placed = {
        name: environment.model_copy(update={"account": draft.account_of(name)})
        for name, environment in draft.environments.items()
    }
    for problem in collisions(placed, draft.folder):
        name = Path(problem.file).stem
        what = f"{problem.reason} ({problem.field} {problem.value}; {name} is in account {placed[name].account})"
        yield Finding(("environments", names.index(name), "name"), name, what, problem.fix)


@rule("source.connection_arn", "account")
def _connection_is_the_accounts(draft: Draft) -> Iterator[Finding]:
    yield from _is_the_accounts(draft, ("source", "connection_arn"), draft.settings.source.connection_arn, "connection")


def _is_the_accounts(draft: Draft, field: FieldPath, arn: str | None, kind: str) -> Iterator[Finding]:
    """The partition and account of an ARN are the pipeline's; connections and providers are good for every region."""
    if arn is None:
        return
    _, own_partition, _, _, account, _ = arn.split(":", 5)
    if account != draft.settings.account:
        reason = f"it is a {kind} of account {account}, and the pipeline is in {draft.settings.account}"
        yield Finding(field, arn, reason, f"use a {kind} of {draft.settings.account}, or leave it out")
    elif own_partition != partition(draft.settings.region):
        reason = (
            f"it is a {kind} of partition {own_partition}, and the pipeline's is {partition(draft.settings.region)}"
        )
        yield Finding(field, arn, reason, f"use a {kind} of the pipeline's account, or leave it out")
