"""Operations on stacks, and what they show of resources and events."""

from moto.core.responses import ActionResult, EmptyResult

from sagehost.cloudformation import answers, engine
from sagehost.cloudformation.api_requests import Operations, begin, check_updatable, refuse
from sagehost.cloudformation.convergence import listed
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.plan import plan
from sagehost.cloudformation.requests import target
from sagehost.cloudformation.store import Stack
from sagehost.moto_app import page


class Stacks(Operations):
    """Create, update, roll back, delete and describe stacks."""

    def create_stack(self) -> ActionResult:
        """CreateStack: a change set that is executed at once."""
        request = self.request
        stack = self.new_stack(str(request["StackName"]))
        wanted = target(stack, request)
        self.check_role(stack, wanted.role_arn)
        refuse(plan(stack, wanted))
        self.stacks.add(stack)
        stack.termination_protection = bool(request.get("EnableTerminationProtection"))
        begin(stack, wanted, "CREATE", request)
        return _begun(stack)

    def update_stack(self) -> ActionResult:
        """UpdateStack: a change set that is executed at once."""
        request = self.request
        stack = self.stack()
        check_updatable(stack)
        wanted = target(stack, request)
        self.check_role(stack, wanted.role_arn)
        planned = plan(stack, wanted)
        if planned.same:
            raise ValidationError("No updates are to be performed.")
        refuse(planned)
        begin(stack, wanted, "UPDATE", request)
        return _begun(stack)

    def delete_stack(self) -> ActionResult:
        """DeleteStack. A stack that does not exist is as good as deleted."""
        request = self.request
        stack = self.stacks.living(str(request["StackName"]))
        if stack is None or stack.status == "DELETE_IN_PROGRESS":
            return EmptyResult()
        retain = frozenset(request.get("RetainResources", []))
        self.check_role(stack)
        for export in stack.exports():
            if users := self.stacks.importers(export):
                stack.move(
                    stack.status,
                    f"Delete canceled. Cannot delete export {export} as it is in use by {listed(users)}.",
                )
                return EmptyResult()
        stack.start("DELETE_IN_PROGRESS", request.get("ClientRequestToken"))
        stack.role_arn = self.request.get("RoleARN") or (stack.target.role_arn if stack.target else None)
        engine.start(lambda: engine.delete(stack, retain), stack)
        return EmptyResult()

    def describe_stacks(self) -> ActionResult:
        """DescribeStacks."""
        stacks = [self.stack()] if "StackName" in self.request else list(self.stacks)
        return page("Stacks", [answers.stack(stack) for stack in stacks], self.request)

    def list_stacks(self) -> ActionResult:
        """ListStacks, deleted ones too."""
        wanted = set(self.request.get("StackStatusFilter", []))
        stacks = [stack for stack in self.stacks.all() if not wanted or stack.status in wanted]
        return page("StackSummaries", [answers.stack(stack) for stack in stacks], self.request)

    def update_termination_protection(self) -> ActionResult:
        """UpdateTerminationProtection, of a stack in any status but these (user guide); the words are not known."""
        stack = self.stack()
        if stack.status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        stack.termination_protection = bool(self.request["EnableTerminationProtection"])
        return ActionResult({"StackId": stack.id})

    def rollback_stack(self) -> ActionResult:
        """RollbackStack: after a failure with roll-back disabled."""
        stack = self.stack()
        stack.retain_except_on_create = bool(self.request.get("RetainExceptOnCreate"))
        if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        self._roll_back(stack, stack.status.removesuffix("_FAILED"))
        return _begun(stack)

    def continue_update_rollback(self) -> ActionResult:
        """ContinueUpdateRollback: after a roll-back that failed."""
        stack = self.stack()
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not continue to roll back.")
        skip = frozenset(self.request.get("ResourcesToSkip", []))
        if other := sorted(
            skip - {name for name, one in stack.latest.items() if one["ResourceStatus"] == "UPDATE_FAILED"}
        ):
            raise ValidationError(f"ResourcesToSkip {other} are not in the UPDATE_FAILED state")
        self._roll_back(stack, "UPDATE", skip)
        return EmptyResult()

    def _roll_back(self, stack: Stack, kind: str, skip: frozenset[str] = frozenset()) -> None:
        self.check_role(stack)
        stack.start(f"{engine.ROLLBACK[kind]}_IN_PROGRESS", self.request.get("ClientRequestToken"))
        stack.role_arn = self.request.get("RoleARN") or (stack.target.role_arn if stack.target else None)
        engine.start(lambda: engine.roll_back(stack, kind, skip), stack)


def _begun(stack: Stack) -> ActionResult:
    return ActionResult({"StackId": stack.id, "OperationId": stack.operation})


class Resources(Operations):
    """Describe the resources, events and exports of stacks."""

    def describe_stack_events(self) -> ActionResult:
        """DescribeStackEvents, newest first."""
        return page("StackEvents", self.stack().events[::-1], self.request)

    def describe_events(self) -> ActionResult:
        """DescribeEvents: of a change set what stands against it, else of a stack, of one operation or of all."""
        if "ChangeSetName" in self.request:
            return page("OperationEvents", answers.failures(*self.change_set()), self.request)
        wanted, failed = self.request.get("OperationId"), self.request.get("Filters", {}).get("FailedEvents")
        stacks = self.stacks.all() if wanted and "StackName" not in self.request else [self.stack()]
        events = [one for stack in stacks for one in answers.operation_events(stack, wanted)]
        if not events:
            raise ValidationError(f"Operation [{wanted}] does not exist")
        shown = [one for one in events if not failed or one["ResourceStatus"].endswith("FAILED")]
        return page("OperationEvents", shown, self.request)

    def describe_stack_resources(self) -> ActionResult:
        """DescribeStackResources."""
        wanted = self.request.get("LogicalResourceId")
        found = [one for one in answers.resources(self.stack()) if wanted in (None, one["LogicalResourceId"])]
        return ActionResult({"StackResources": found})

    def describe_stack_resource(self) -> ActionResult:
        """DescribeStackResource."""
        stack, wanted = self.stack(), self.request["LogicalResourceId"]
        for one in answers.resources(stack):
            if one["LogicalResourceId"] == wanted:
                return ActionResult({"StackResourceDetail": one})
        raise ValidationError(f"Resource {wanted} does not exist for stack {stack.name}")

    def list_stack_resources(self) -> ActionResult:
        """ListStackResources."""
        return page("StackResourceSummaries", answers.resources(self.stack()), self.request)

    def list_exports(self) -> ActionResult:
        """ListExports."""
        exports = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value}
            for stack in self.stacks
            for name, value in stack.exports().items()
        ]
        return page("Exports", sorted(exports, key=lambda export: export["Name"]), self.request)

    def list_imports(self) -> ActionResult:
        """ListImports."""
        name = str(self.request["ExportName"])
        users = self.stacks.importers(name)
        if not users:
            raise ValidationError(f"Export '{name}' is not imported by any stack.")
        return page("Imports", users, self.request)
