"""Operations on change sets."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult

from sagehost.cloudformation import answers, engine
from sagehost.cloudformation.api_requests import Operations, begin, check_updatable
from sagehost.cloudformation.errors import AlreadyExists, ChangeSetNotFound, InvalidChangeSetStatus, ValidationError
from sagehost.cloudformation.plan import NO_CHANGES, Plan, plan
from sagehost.cloudformation.requests import check_options, target
from sagehost.cloudformation.store import ChangeSet, Problem, Stack


class ChangeSets(Operations):
    """Create, describe, execute and delete change sets."""

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet. It is ready, or has failed, when the call returns."""
        request = self.request
        check_options(request)
        kind = request.get("ChangeSetType", "UPDATE")
        stack = self._changing(str(request["StackName"]), kind)
        name = str(request["ChangeSetName"])
        if name in stack.change_sets:
            raise AlreadyExists(f"ChangeSet [{name}] already exists")
        wanted = target(stack, request, request.get("ClientToken"))
        try:
            planned = plan(stack, wanted)
        except ValidationError as error:
            planned = Plan([], [Problem(None, None, "", error.message)], same=False)
        change_set = ChangeSet(
            name=name,
            id=self.arn("changeSet", name),
            kind=kind,
            target=wanted,
            description=request.get("Description"),
            changes=planned.changes,
            problems=planned.problems,
            status="CREATE_COMPLETE",
            reason=None,
            execution_status="AVAILABLE",
        )
        if planned.problems or planned.same:
            reasons = [problem.message for problem in planned.problems] or [NO_CHANGES]
            change_set.status, change_set.execution_status = "FAILED", "UNAVAILABLE"
            change_set.reason = "; ".join(reasons)
        if not stack.status:
            self.stacks.add(stack)
            stack.move("REVIEW_IN_PROGRESS", engine.USER_INITIATED)
        stack.change_sets[name] = change_set
        return ActionResult({"Id": change_set.id, "StackId": stack.id})

    def _changing(self, name: str, kind: str) -> Stack:
        """The stack that a change set is for; a new one, not yet in the store, to create."""
        stack = self.stacks.find(name)
        if stack is not None and stack.deleted is not None:
            stack = None
        if kind == "CREATE":
            if stack is None:
                return self.new_stack(name)
            if stack.status != "REVIEW_IN_PROGRESS":
                raise ValidationError(
                    f"Stack [{name}] already exists and cannot be created again with the changeSet [{name}]."
                )
            return stack
        if kind != "UPDATE":
            raise ValidationError(f"ChangeSetType {kind} is not emulated")
        if stack is None:
            raise ValidationError(f"Stack [{name}] does not exist")
        check_updatable(stack)
        return stack

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet."""
        return ActionResult(answers.change_set(*self.change_set()))

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets."""
        stack = self.stack()
        return self.page("Summaries", [answers.change_set(stack, one) for one in stack.change_sets.values()])

    def delete_change_set(self) -> ActionResult:
        """DeleteChangeSet. One that does not exist is as good as deleted."""
        try:
            stack, change_set = self.change_set()
        except ChangeSetNotFound:
            return EmptyResult()
        if change_set.execution_status == "EXECUTE_IN_PROGRESS":
            raise InvalidChangeSetStatus(f"ChangeSet [{change_set.id}] cannot be deleted in EXECUTE_IN_PROGRESS")
        stack.change_sets.pop(change_set.name)
        return EmptyResult()

    def execute_change_set(self) -> ActionResult:
        """ExecuteChangeSet. The other change sets of the stack are gone with it, as on AWS."""
        stack, change_set = self.change_set()
        check_options(self.request)
        if change_set.execution_status != "AVAILABLE":
            raise InvalidChangeSetStatus(
                f"ChangeSet [{change_set.id}] cannot be executed in its current execution status of "
                f"[{change_set.execution_status}]"
            )
        if change_set.kind == "UPDATE":
            check_updatable(stack)
        stack.change_sets.clear()
        begin(stack, change_set.target, change_set.kind, self.request)
        return EmptyResult()
