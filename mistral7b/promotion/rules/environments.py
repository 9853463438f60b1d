"""Which environments are promoted, and in which order: production comes last, and someone approves it."""

from mistral7b.environment.load import no_such_environment
from mistral7b.promotion.names import OWN_STAGES, is_production
from mistral7b.promotion.unvalidated_pipeline import Findings, UnvalidatedPipeline, rule
from mistral7b.yamlfile import Finding

# CodePipeline user guide, "Quotas in AWS CodePipeline" and "pipeline structure reference".
MOST_STAGES = 50
MOST_ACTIONS = 50
# Review, SecurityChanges, Promote, Prepare, Deploy, Protect, Smoke.
OTHER_ACTIONS = 7
ACTIONS_OF_A_STACK = 2

_NAMED_SO = "production by its name, as one of its words is prod, production or live"


@rule("environments.name")
def _each_has_a_file(pipeline: UnvalidatedPipeline) -> Findings:
    """Each promoted environment has a file, and is promoted once. Source: this project."""
    for field, promoted in pipeline.promoted:
        if not pipeline.known:
            yield Finding(f"{field}.name", "there is no environment file beside this one", "add one, such as dev.yaml")
        elif promoted.name not in pipeline.known:
            yield Finding(f"{field}.name", *no_such_environment(promoted.name, pipeline.known))


@rule("environments.name")
def _each_is_promoted_once(pipeline: UnvalidatedPipeline) -> Findings:
    """Each promoted environment has a file, and is promoted once. Source: this project."""
    names = [promoted.name for promoted in pipeline.settings.environments]
    for index, name in enumerate(names):
        if (first := names.index(name)) != index:
            reason = f"it is promoted twice: environments[{first}] has it, too"
            yield Finding(f"environments.{index}.name", reason, "remove one of the two")


@rule("environments.name")
def _no_stage_has_the_name_of_another(pipeline: UnvalidatedPipeline) -> Findings:
    """No two stages have one name, whatever the case. Source: CodePipeline user guide, pipeline structure."""
    own = {stage.lower(): stage for stage in OWN_STAGES}
    for field, promoted in pipeline.promoted:
        if promoted.name in own:
            reason = f"the pipeline's own stage {own[promoted.name]} would differ from it only in case"
            yield Finding(f"{field}.name", reason, "rename the environment's file")


@rule("environments.name")
def _something_else_comes_before_production(pipeline: UnvalidatedPipeline) -> Findings:
    """Something that is not production comes before production, and nothing else after it. Source: this project."""
    name = pipeline.settings.environments[0].name
    if not is_production(name):
        return
    others = [other for other in pipeline.known if not is_production(other)]
    fix = f"put {' and '.join(others)} before it" if others else "add an environment, such as staging.yaml, before it"
    reason = f"{name} is {_NAMED_SO}, and a change would be tried out there first"
    yield Finding("environments.0.name", reason, fix)


@rule("environments.name")
def _nothing_else_comes_after_production(pipeline: UnvalidatedPipeline) -> Findings:
    """Something that is not production comes before production, and nothing else after it. Source: this project."""
    names = [promoted.name for promoted in pipeline.settings.environments]
    first = next((index for index, name in enumerate(names) if is_production(name)), 0)
    for index in range(first + 1, len(names)) if first else ():  # at 0, the rule above has said it
        if not is_production(names[index]):
            reason = f"it comes after {names[first]}, which is {_NAMED_SO}"
            yield Finding(f"environments.{index}.name", reason, f"put it before {names[first]}")


@rule("environments.name", "environments.approval")
def _production_is_approved(pipeline: UnvalidatedPipeline) -> Findings:
    """Someone approves the deployment to production. Source: this project."""
    for field, promoted in pipeline.promoted:
        if is_production(promoted.name) and promoted.approval is False:
            reason = f"{promoted.name} is {_NAMED_SO}, and is deployed when someone has approved it"
            yield Finding(f"{field}.approval", reason, "remove it, or set it to true")


@rule("environments.name")
def _stages_are_not_too_many(pipeline: UnvalidatedPipeline) -> Findings:
    """2 to 50 stages of 1 to 50 actions. Source: CodePipeline user guide, quotas."""
    most = MOST_STAGES - len(OWN_STAGES)
    count = len(pipeline.settings.environments)
    if count > most:
        reason = f"a pipeline has at most {MOST_STAGES} stages, {len(OWN_STAGES)} of them its own; these are {count}"
        yield Finding("environments", reason, f"promote {most} environments at most")


@rule("environments.gates", "github_actions")
def _actions_of_a_stage_are_not_too_many(pipeline: UnvalidatedPipeline) -> Findings:
    """2 to 50 stages of 1 to 50 actions. Source: CodePipeline user guide, quotas."""
    roles_for_github = pipeline.settings.github_actions is not None  # in a stack of their own
    others = OTHER_ACTIONS + (ACTIONS_OF_A_STACK if roles_for_github else 0)
    most = MOST_ACTIONS - others
    for field, promoted in pipeline.promoted:
        if len(promoted.gates) > most:
            reason = f"a stage has {MOST_ACTIONS} actions at most, {others} of them not gates"
            yield Finding(f"{field}.gates", reason, f"join gates to {most} at most: one && the next", None)
