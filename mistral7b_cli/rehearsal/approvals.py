"""Who answers an approval: whoever sits at the terminal, or nobody, with everything approved."""

import getpass
from dataclasses import dataclass

from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text

from mistral7b.promotion.names import REVIEW_ACTION, SECURITY_APPROVAL, SMOKE_ACTION
from mistral7b_cli.rehearsal.execution import SUCCEEDED, Action, Execution, Stage
from mistral7b_cli.rehearsal.walk import Answer

# A review of a first deployment lists every statement.
_MOST_LINES = 400


@dataclass(frozen=True)
class ApproveAll:
    """Approves whatever is asked, and says so."""

    console: Console
    reason: str
    """Why nobody is asked."""

    def __call__(self, execution: Execution, stage: Stage, action: Action) -> Answer:  # noqa: ARG002 - Approver's
        """Yes."""
        self.console.print(f"    {action.title}: approved, as {self.reason}", markup=False, soft_wrap=True)
        return Answer(True, f"approved in a rehearsal, as {self.reason}")


@dataclass(frozen=True)
class AskUser:
    """Asks on the terminal, after what there is to base an answer on."""

    console: Console

    def __call__(self, execution: Execution, stage: Stage, action: Action) -> Answer:
        """What the user answers.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the end of standard input.
        """
        self.console.print(Text(f"\n    {action.title}: {_question(action, stage)}", style="bold"), soft_wrap=True)
        for basis in basis_of(execution, stage, action):
            self._show(basis)
        if action.note:
            self.console.print(f"    {action.note}", markup=False, soft_wrap=True)
        try:
            yes = Confirm.ask(f"    Approve {action.title}?", console=self.console)
        except EOFError:
            raise KeyboardInterrupt from None
        return Answer(yes, f"{'approved' if yes else 'rejected'} by {getpass.getuser()} in a rehearsal")

    def _show(self, basis: Action) -> None:
        lines = basis.said(_MOST_LINES)
        self.console.print(
            Text(f"    {basis.title} says:" if lines else f"    {basis.title} says nothing", style="dim")
        )
        for line in lines:
            self.console.print(f"    │ {line}", markup=False, soft_wrap=True)


def basis_of(execution: Execution, stage: Stage, action: Action) -> list[Action]:
    """The actions whose logs an answer rests on.

    Of a security approval the review of its stage; of a promotion the smoke tests and gates of the stage before.
    """
    if action.name == SECURITY_APPROVAL:
        return [other for other in stage.actions if other.name == REVIEW_ACTION]
    before = execution.stages[: [s.name for s in execution.stages].index(stage.name)]
    tests = [a for a in before[-1].actions if a.category in ("Build", "Test") and a.name != REVIEW_ACTION]
    return [a for a in tests if a.status == SUCCEEDED and (a.name == SMOKE_ACTION or a.name.startswith("Gate"))]


def _question(action: Action, stage: Stage) -> str:
    if action.name == SECURITY_APPROVAL:
        return f"the commit changes what {stage.name} lets in or allows"
    return f"{stage.name} gets the commit next"
