"""How large a pipeline CodePipeline takes."""

from collections.abc import Iterator

from mistral7b.promotion.draft import Draft
from mistral7b.promotion.names import OWN_STAGES
from mistral7b.promotion.rules.registry import Finding, rule

# CodePipeline user guide, "Quotas in AWS CodePipeline" and "pipeline structure reference".
MOST_STAGES = 50
MOST_ACTIONS = 50
# Review, SecurityChanges, Promote, Prepare, Deploy, Protect, Smoke.
OTHER_ACTIONS = 7
ACTIONS_OF_A_STACK = 2


@rule("environments.name")
def _stages_are_not_too_many(draft: Draft) -> Iterator[Finding]:
    most = MOST_STAGES - len(OWN_STAGES)
    count = len(draft.settings.environments)
    if count > most:
        reason = f"a pipeline has {MOST_STAGES} stages at most, {len(OWN_STAGES)} of them its own; these are {count}"
        yield Finding(("environments",), None, reason, f"promote {most} environments at most")


@rule("environments.gates", "github_actions")
def _actions_of_a_stage_are_not_too_many(draft: Draft) -> Iterator[Finding]:
    roles_for_github = draft.settings.github_actions is not None  # in a stack of their own
    others = OTHER_ACTIONS + (ACTIONS_OF_A_STACK if roles_for_github else 0)
    most = MOST_ACTIONS - others
    for index, promoted in enumerate(draft.settings.environments):
        if len(promoted.gates) > most:
            reason = f"a stage has {MOST_ACTIONS} actions at most, {others} of them not gates"
            fix = f"join gates to {most} at most: one && the next"
            yield Finding(("environments", index, "gates"), None, reason, fix)
