"""CloudFormation's API, in the place of moto's.

moto's own CloudFormation keeps stacks, change sets and their execution so closely together that hardly a method of it
could stay: it executes at once and in dictionary order, never rolls back, looks change sets up across stacks, and does
not know a third of the operations that the CDK CLI calls. What is used of it is the wire protocol, of which it is one
of many users.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from localaws.cloudformation import answers, engine
from localaws.cloudformation.errors import (
    AlreadyExists,
    ChangeSetNotFound,
    InvalidChangeSetStatus,
    ValidationError,
)
from localaws.cloudformation.plan import NO_CHANGES, Plan, plan
from localaws.cloudformation.requests import Request, body, check_options, target
from localaws.cloudformation.store import ChangeSet, Problem, Stack, Store, Target, now, store
from localaws.cloudformation.template import parse

PAGE = 100
"""Items in one answer."""

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
_UPDATABLE = frozenset(
    "CREATE_COMPLETE UPDATE_COMPLETE UPDATE_ROLLBACK_COMPLETE CREATE_FAILED UPDATE_FAILED IMPORT_COMPLETE".split()  # noqa: SIM905
)


class CloudFormation(BaseResponse):
    """One request. moto calls the method that is named like the operation."""

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    # --- what every operation needs ---------------------------------------------------------------------------------

    @property
    def _request(self) -> Request:
        request: dict[str, Any] = self._get_params()
        return request

    @property
    def _store(self) -> Store:
        return store(self.current_account, self.region)

    def _stack(self) -> Stack:
        return self._store.get(str(self._request["StackName"]))

    def _change_set(self) -> tuple[Stack, ChangeSet]:
        """By its ARN, or by its name within a stack."""
        name = str(self._request["ChangeSetName"])
        stacks = [self._stack()] if "StackName" in self._request else list(self._store.all())
        for stack in stacks:
            for change_set in stack.change_sets.values():
                if change_set.id == name or ("StackName" in self._request and change_set.name == name):
                    return stack, change_set
        raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")

    def _page(self, key: str, items: Sequence[Any], **more: Any) -> ActionResult:
        start = int(self._request.get("NextToken", 0))
        end = start + PAGE
        following = {"NextToken": str(end)} if end < len(items) else {}
        return ActionResult({key: list(items[start:end]), **following, **more})

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:{self.partition}:cloudformation:{self.region}:{self.current_account}:{kind}/{name}/{uuid.uuid4()}"

    def _new_stack(self, name: str) -> Stack:
        if not _NAME.fullmatch(name) or len(name) > 128:
            raise ValidationError(
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
                "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        return Stack(name=name, id=self._arn("stack", name), account=self.current_account, region=self.region)

    # --- stacks -----------------------------------------------------------------------------------------------------

    def create_stack(self) -> ActionResult:
        """CreateStack: a change set that is executed at once."""
        request = self._request
        check_options({key: value for key, value in request.items() if (key, value) != ("OnFailure", "DO_NOTHING")})
        name = str(request["StackName"])
        if (existing := self._store.find(name)) is not None and existing.deleted is None:
            raise AlreadyExists(f"Stack [{name}] already exists")
        stack = self._new_stack(name)
        wanted = target(stack, request, request.get("ClientRequestToken"))
        _refuse(plan(stack, wanted))
        self._store.add(stack)
        stack.disable_rollback = bool(request.get("DisableRollback")) or request.get("OnFailure") == "DO_NOTHING"
        stack.termination_protection = bool(request.get("EnableTerminationProtection"))
        _begin(stack, wanted, "CREATE")
        return ActionResult({"StackId": stack.id})

    def update_stack(self) -> ActionResult:
        """UpdateStack: a change set that is executed at once."""
        request = self._request
        check_options(request)
        stack = self._stack()
        _check_updatable(stack)
        wanted = target(stack, request, request.get("ClientRequestToken"))
        planned = plan(stack, wanted)
        if planned.same:
            raise ValidationError("No updates are to be performed.")
        _refuse(planned)
        stack.disable_rollback = bool(request.get("DisableRollback"))
        _begin(stack, wanted, "UPDATE")
        return ActionResult({"StackId": stack.id})

    def delete_stack(self) -> ActionResult:
        """DeleteStack. A stack that does not exist is as good as deleted."""
        request = self._request
        check_options(request)
        stack = self._store.find(str(request["StackName"]))
        if stack is None or stack.deleted is not None:
            return EmptyResult()
        if stack.termination_protection:
            raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.busy:
            if stack.status == "DELETE_IN_PROGRESS":
                return EmptyResult()
            raise ValidationError(f"Stack [{stack.name}] is in {stack.status} state and can not be deleted.")
        retain = frozenset(request.get("RetainResources", []))
        if retain and stack.status != "DELETE_FAILED":
            raise ValidationError(
                "Invalid operation on stack. RetainResources is only valid for stacks in the DELETE_FAILED state"
            )
        for export in stack.exports():
            if users := self._store.importers(export):
                stack.move(
                    stack.status,
                    f"Delete canceled. Cannot delete export {export} as it is in use by {engine.listed(users)}.",
                )
                return EmptyResult()
        stack.token = request.get("ClientRequestToken")
        stack.move("DELETE_IN_PROGRESS", engine.USER_INITIATED)
        engine.start(lambda: engine.delete(stack, retain, stack.token), stack)
        return EmptyResult()

    def describe_stacks(self) -> ActionResult:
        """DescribeStacks."""
        stacks = [self._stack()] if "StackName" in self._request else list(self._store)
        return self._page("Stacks", [answers.stack(stack) for stack in stacks])

    def list_stacks(self) -> ActionResult:
        """ListStacks, deleted ones too."""
        wanted = set(self._request.get("StackStatusFilter", []))
        stacks = [stack for stack in self._store.all() if not wanted or stack.status in wanted]
        return self._page("StackSummaries", [answers.summary(stack) for stack in stacks])

    def update_termination_protection(self) -> ActionResult:
        """UpdateTerminationProtection."""
        stack = self._stack()
        stack.termination_protection = bool(self._request["EnableTerminationProtection"])
        return ActionResult({"StackId": stack.id})

    def rollback_stack(self) -> ActionResult:
        """RollbackStack: after a failure with roll-back disabled."""
        check_options(self._request)
        stack = self._stack()
        token = self._request.get("ClientRequestToken")
        if stack.status == "CREATE_FAILED":
            stack.move("ROLLBACK_IN_PROGRESS", engine.USER_INITIATED)
            engine.start(lambda: engine.roll_back_creation(engine.Operation(stack, token)), stack)
        elif stack.status == "UPDATE_FAILED":
            stack.move("UPDATE_ROLLBACK_IN_PROGRESS", engine.USER_INITIATED)
            engine.start(lambda: engine.roll_back_update(engine.Operation(stack, token)), stack)
        else:
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        return ActionResult({"StackId": stack.id})

    def continue_update_rollback(self) -> ActionResult:
        """ContinueUpdateRollback: after a roll-back that failed."""
        check_options(self._request)
        stack, skip = self._stack(), frozenset(self._request.get("ResourcesToSkip", []))
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not continue to roll back.")
        token = self._request.get("ClientRequestToken")
        stack.move("UPDATE_ROLLBACK_IN_PROGRESS", engine.USER_INITIATED)
        engine.start(lambda: engine.roll_back_update(engine.Operation(stack, token), skip), stack)
        return EmptyResult()

    # --- resources and events ---------------------------------------------------------------------------------------

    def describe_stack_events(self) -> ActionResult:
        """DescribeStackEvents, newest first."""
        stack = self._stack()
        return self._page("StackEvents", [answers.event(stack, event) for event in reversed(list(stack.events))])

    def describe_events(self) -> ActionResult:
        """DescribeEvents, of a change set: what stands against it."""
        if "ChangeSetName" not in self._request:
            raise ValidationError("DescribeEvents without ChangeSetName is not emulated")
        return self._page("OperationEvents", answers.failures(*self._change_set()))

    def describe_stack_resources(self) -> ActionResult:
        """DescribeStackResources."""
        wanted = self._request.get("LogicalResourceId")
        found = [one for one in answers.resources(self._stack()) if wanted in (None, one["LogicalResourceId"])]
        return ActionResult({"StackResources": found})

    def describe_stack_resource(self) -> ActionResult:
        """DescribeStackResource."""
        stack, wanted = self._stack(), self._request["LogicalResourceId"]
        for one in answers.resources(stack):
            if one["LogicalResourceId"] == wanted:
                return ActionResult({"StackResourceDetail": one})
        raise ValidationError(f"Resource {wanted} does not exist for stack {stack.name}")

    def list_stack_resources(self) -> ActionResult:
        """ListStackResources."""
        return self._page("StackResourceSummaries", list(answers.resources(self._stack())))

    def list_exports(self) -> ActionResult:
        """ListExports."""
        exports = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value}
            for stack in self._store
            for name, value in stack.exports().items()
        ]
        return self._page("Exports", sorted(exports, key=lambda export: export["Name"]))

    def list_imports(self) -> ActionResult:
        """ListImports."""
        name = str(self._request["ExportName"])
        users = self._store.importers(name)
        if not users:
            raise ValidationError(f"Export '{name}' is not imported by any stack.")
        return self._page("Imports", users)

    # --- change sets ------------------------------------------------------------------------------------------------

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet. It is ready, or has failed, when the call returns."""
        request = self._request
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
            id=self._arn("changeSet", name),
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
            self._store.add(stack)
            stack.move("REVIEW_IN_PROGRESS", engine.USER_INITIATED)
        stack.change_sets[name] = change_set
        return ActionResult({"Id": change_set.id, "StackId": stack.id})

    def _changing(self, name: str, kind: str) -> Stack:
        """The stack that a change set is for; a new one, not yet in the store, to create."""
        stack = self._store.find(name)
        if stack is not None and stack.deleted is not None:
            stack = None
        if kind == "CREATE":
            if stack is None:
                return self._new_stack(name)
            if stack.status != "REVIEW_IN_PROGRESS":
                raise ValidationError(
                    f"Stack [{name}] already exists and cannot be created again with the changeSet [{name}]."
                )
            return stack
        if kind != "UPDATE":
            raise ValidationError(f"ChangeSetType {kind} is not emulated")
        if stack is None:
            raise ValidationError(f"Stack [{name}] does not exist")
        _check_updatable(stack)
        return stack

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet."""
        return ActionResult(answers.change_set(*self._change_set()))

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets."""
        stack = self._stack()
        return self._page("Summaries", [answers.change_set_summary(stack, one) for one in stack.change_sets.values()])

    def delete_change_set(self) -> ActionResult:
        """DeleteChangeSet. One that does not exist is as good as deleted."""
        try:
            stack, change_set = self._change_set()
        except ChangeSetNotFound:
            return EmptyResult()
        if change_set.execution_status == "EXECUTE_IN_PROGRESS":
            raise InvalidChangeSetStatus(f"ChangeSet [{change_set.id}] cannot be deleted in EXECUTE_IN_PROGRESS")
        stack.change_sets.pop(change_set.name)
        return EmptyResult()

    def execute_change_set(self) -> ActionResult:
        """ExecuteChangeSet. The other change sets of the stack are gone with it, as on AWS."""
        stack, change_set = self._change_set()
        check_options(self._request)
        if change_set.execution_status != "AVAILABLE":
            raise InvalidChangeSetStatus(
                f"ChangeSet [{change_set.id}] cannot be executed in its current execution status of "
                f"[{change_set.execution_status}]"
            )
        if change_set.kind == "UPDATE":
            _check_updatable(stack)
        stack.change_sets.clear()
        stack.disable_rollback = bool(self._request.get("DisableRollback"))
        _begin(stack, change_set.target, change_set.kind)
        return EmptyResult()

    # --- templates --------------------------------------------------------------------------------------------------

    def get_template(self) -> ActionResult:
        """GetTemplate, of a stack or of a change set."""
        if "ChangeSetName" in self._request:
            wanted: Target | None = self._change_set()[1].target
        else:
            wanted = self._stack().target
        text = wanted.template.body if wanted else "{}"
        return ActionResult({"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]})

    def get_template_summary(self) -> ActionResult:
        """GetTemplateSummary, of a stack or of a template."""
        if "StackName" in self._request:
            stack = self._stack()
            if stack.target is None:
                raise ValidationError("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
            return ActionResult(answers.template_summary(stack.target.template))
        return self.validate_template()

    def validate_template(self) -> ActionResult:
        """ValidateTemplate."""
        template = parse(body(self._request, self.current_account, self.region))
        return ActionResult(answers.template_summary(template))

    # --- what there is nothing of -----------------------------------------------------------------------------------

    def list_hook_results(self) -> ActionResult:
        """ListHookResults: no hook can be registered."""
        return ActionResult({"HookResults": []})

    def get_stack_policy(self) -> ActionResult:
        """GetStackPolicy: no policy can be set."""
        self._stack()
        return EmptyResult()


def _check_updatable(stack: Stack) -> None:
    if stack.status not in _UPDATABLE:
        raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _refuse(planned: Plan) -> None:
    if planned.problems:
        raise ValidationError("; ".join(problem.message for problem in planned.problems))


def _begin(stack: Stack, wanted: Target, kind: str) -> None:
    """Start to create or update the stack."""
    stack.token = wanted.token
    if kind == "UPDATE":
        stack.updated = now()
    stack.move(f"{kind}_IN_PROGRESS", engine.USER_INITIATED)
    operation = engine.create if kind == "CREATE" else engine.update
    engine.start(lambda: operation(stack, wanted), stack)
