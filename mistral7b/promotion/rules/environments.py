"""Which environments are promoted: they exist, and each once."""

from collections.abc import Iterator

from mistral7b.environment.load import no_such_environment
from mistral7b.promotion.draft import Draft
from mistral7b.promotion.names import OWN_STAGES
from mistral7b.promotion.rules.registry import Finding, rule


@rule("environments.name")
def _each_has_a_file(draft: Draft) -> Iterator[Finding]:
    for index, promoted in enumerate(draft.settings.environments):
        if promoted.name not in draft.known:
            field = ("environments", index, "name")
            if not draft.known:
                reason, fix = "there is no environment file beside this one", "add one, such as dev.yaml"
            else:
                reason, fix = no_such_environment(promoted.name, draft.known)
            yield Finding(field, promoted.name, reason, fix)


@rule("environments.name")
def _each_is_promoted_once(draft: Draft) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, promoted in enumerate(draft.settings.environments):
        if (before := first.setdefault(promoted.name, index)) != index:
            reason = f"it is promoted twice: environments[{before}] has it, too"
            yield Finding(("environments", index, "name"), promoted.name, reason, "remove one of the two")


@rule("environments.name")
def _no_stage_has_the_name_of_another(draft: Draft) -> Iterator[Finding]:
    for index, promoted in enumerate(draft.settings.environments):
        own = next((stage for stage in OWN_STAGES if stage.lower() == promoted.name), None)
        if own is not None:
            reason = f"the pipeline's own stage {own} would differ from it in case alone"
            fix = "rename the environment's file"
            yield Finding(("environments", index, "name"), promoted.name, reason, fix)
