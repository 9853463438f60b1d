"""Production comes last, and someone approves it."""

from collections.abc import Iterator

from mistral7b.promotion.draft import Draft
from mistral7b.promotion.names import is_production
from mistral7b.promotion.rules.registry import Finding, rule

_NAMED_SO = "production by its name, as one of its words is prod, production or live"


@rule("environments.name")
def _something_else_comes_before_production(draft: Draft) -> Iterator[Finding]:
    name = draft.settings.environments[0].name
    if not is_production(name):
        return
    others = [other for other in draft.known if not is_production(other)]
    fix = f"put {' and '.join(others)} before it" if others else "add an environment, such as staging.yaml, before it"
    reason = f"{name} is {_NAMED_SO}, and a change would be tried out there first"
    yield Finding(("environments", 0, "name"), name, reason, fix)


@rule("environments.name")
def _nothing_else_comes_after_production(draft: Draft) -> Iterator[Finding]:
    names = [promoted.name for promoted in draft.settings.environments]
    first = next((index for index, name in enumerate(names) if is_production(name)), 0)
    for index in range(first + 1, len(names)) if first else ():  # at 0, the rule above has said it
        if not is_production(names[index]):
            reason = f"it comes after {names[first]}, which is {_NAMED_SO}"
            yield Finding(("environments", index, "name"), names[index], reason, f"put it before {names[first]}")


@rule("environments.name", "environments.approval")
def _production_is_approved(draft: Draft) -> Iterator[Finding]:
    for index, promoted in enumerate(draft.settings.environments):
        if is_production(promoted.name) and promoted.approval is False:
            reason = f"{promoted.name} is {_NAMED_SO}, and is deployed when someone has approved it"
            yield Finding(("environments", index, "approval"), False, reason, "remove it, or set it to true")
