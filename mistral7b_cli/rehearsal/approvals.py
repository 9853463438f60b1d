"""Who answers an approval: whoever sits at the terminal, or nobody, with everything approved."""

import getpass
from collections.abc import Callable

from rich.console import Console
from rich.prompt import Confirm

from mistral7b.promotion.names import REVIEW_ACTION, SECURITY_APPROVAL, SMOKE_ACTION
from mistral7b_cli.output import say
from mistral7b_cli.rehearsal.execution import SUCCEEDED, Action, Execution, Stage

# A review of a first deployment lists every statement.
_MOST_LINES = 400


Approver = Callable[[Execution, Stage, Action], tuple[bool, str]]
"""Decides on an approval of a stage: whether it is approved, and what the pipeline's history says of it."""


def approve_all(console: Console, reason: str) -> Approver:
    """Approves whatever is asked, and says so; `reason` is why nobody is asked."""

    def approve(_execution: Execution, _stage: Stage, action: Action) -> tuple[bool, str]:
        say(f"    {action.title}: approved, as {reason}", on=console)
        return True, f"approved in a rehearsal, as {reason}"

    return approve


def ask_user(console: Console) -> Approver:
    """Asks on the terminal, after showing what the answer rests on. Ctrl-C and Ctrl-D raise KeyboardInterrupt."""

    def ask(execution: Execution, stage: Stage, action: Action) -> tuple[bool, str]:
        security = f"the commit broadens IAM permissions or security groups of {stage.name}"
        question = security if action.name == SECURITY_APPROVAL else f"{stage.name} gets the commit next"
        say(f"\n    {action.title}: {question}", "bold", on=console)
        for one in basis_of(execution, stage, action):
            lines = one.output(_MOST_LINES)
            say(f"    {one.title} says{':' if lines else ' nothing'}", "dim", on=console)
            for line in lines:
                say(f"    │ {line}", on=console)
        if action.note:
            say(f"    {action.note}", on=console)
        try:
            yes = Confirm.ask(f"    Approve {action.title}?", console=console)
        except EOFError:
            raise KeyboardInterrupt from None
        return yes, f"{'approved' if yes else 'rejected'} by {getpass.getuser()} in a rehearsal"

    return ask


def basis_of(execution: Execution, stage: Stage, action: Action) -> list[Action]:
    """The actions whose logs an answer rests on.

    Of a security approval the review of its stage; of a promotion the smoke tests and gates of the stage before.
    """
    if action.name == SECURITY_APPROVAL:
        return [other for other in stage.actions if other.name == REVIEW_ACTION]
    before = execution.stages[[s.name for s in execution.stages].index(stage.name) - 1]
    tests = [one for one in before.actions if one.name == SMOKE_ACTION or one.name.startswith("Gate")]
    return [one for one in tests if one.status == SUCCEEDED]
