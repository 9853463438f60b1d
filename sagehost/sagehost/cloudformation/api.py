"""CloudFormation's API, in the place of moto's.

moto's own CloudFormation keeps stacks, change sets and their execution so closely together that hardly a method of it
could stay: it executes at once and in dictionary order, never rolls back, looks change sets up across stacks, and does
not know a third of the operations that the CDK CLI calls. What is used of it is the wire protocol, of which it is one
of many users.
"""

from contextlib import suppress

from moto.core.responses import ActionResult, EmptyResult

from sagehost.aws_errors import Refused
from sagehost.cloudformation import answers
from sagehost.cloudformation.api_requests import Operations, begin, check_updatable
from sagehost.cloudformation.api_stacks import Resources, Stacks
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.plan import NO_CHANGES, Plan, plan
from sagehost.cloudformation.requests import body, target
from sagehost.cloudformation.store import USER_INITIATED, ChangeSet, Problem, Stack
from sagehost.cloudformation.template import parse
from sagehost.moto_app import page


class ChangeSets(Operations):
    """Create, describe, execute and delete change sets."""

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet. It is ready, or has failed, when the call returns."""
        request = self.request
        kind = request.get("ChangeSetType", "UPDATE")
        stack = self._changing(str(request["StackName"]), kind)
        name = str(request["ChangeSetName"])
        if name in stack.change_sets:
            raise Refused("AlreadyExistsException", f"ChangeSet [{name}] already exists")
        wanted = target(stack, request)
        self.check_role(stack, wanted.role_arn)
        try:
            planned = plan(stack, wanted, importing=bool(request.get("ImportExistingResources")))
        except ValidationError as error:
            planned = Plan([], [Problem(None, None, "", error.message)], same=False, target=wanted)
        change_set = ChangeSet(
            name=name,
            id=self.arn("changeSet", name),
            kind=kind,
            target=planned.target,
            description=request.get("Description"),
            changes=planned.changes,
            problems=planned.problems,
            reason="; ".join([problem.message for problem in planned.problems] or [NO_CHANGES] * planned.same),
        )
        if not stack.status:
            self.stacks.add(stack)
            stack.move("REVIEW_IN_PROGRESS", USER_INITIATED)
        stack.change_sets[name] = change_set
        return ActionResult({"Id": change_set.id, "StackId": stack.id})

    def _changing(self, name: str, kind: str) -> Stack:
        """The stack that a change set is for; a new one, not yet in the store, to create."""
        stack = self.stacks.living(name)
        if stack is None:
            return self.new_stack(name)
        if kind == "UPDATE":
            check_updatable(stack)
        return stack

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet."""
        return ActionResult(answers.change_set(*self.change_set()))

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets."""
        stack = self.stack()
        return page("Summaries", [answers.change_set(stack, one) for one in stack.change_sets.values()], self.request)

    def delete_change_set(self) -> ActionResult:
        """DeleteChangeSet. One that does not exist is as good as deleted."""
        with suppress(Refused):
            stack, change_set = self.change_set()
            stack.change_sets.pop(change_set.name)
        return EmptyResult()

    def execute_change_set(self) -> ActionResult:
        """ExecuteChangeSet. The other change sets of the stack are gone with it, as on AWS."""
        stack, change_set = self.change_set()
        if change_set.reason:
            message = f"ChangeSet [{change_set.id}] cannot be executed in its current execution status of [UNAVAILABLE]"
            raise Refused("InvalidChangeSetStatus", message)
        if change_set.kind == "UPDATE":
            check_updatable(stack)
        self.check_role(stack, change_set.target.role_arn)
        begin(stack, change_set.target, change_set.kind, self.request)
        stack.change_sets.clear()
        return EmptyResult()


class Templates(Operations):
    """Show and check templates."""

    def get_template(self) -> ActionResult:
        """GetTemplate, of a stack or of a change set."""
        wanted = self.change_set()[1].target if "ChangeSetName" in self.request else self.stack().target
        text = wanted.template.body if wanted else "{}"
        return ActionResult({"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]})

    def get_template_summary(self) -> ActionResult:
        """GetTemplateSummary, of a stack or of a template."""
        if "StackName" in self.request:
            stack = self.stack()
            if stack.target is None:
                raise ValidationError("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
            return ActionResult(answers.template_summary(stack.target.template))
        return self.validate_template()

    def validate_template(self) -> ActionResult:
        """ValidateTemplate."""
        template = parse(body(self.request, self.current_account, self.region))
        return ActionResult(answers.template_summary(template))


class CloudFormation(Stacks, Resources, ChangeSets, Templates):
    """All operations."""

    def list_hook_results(self) -> ActionResult:
        """ListHookResults: no hook can be registered."""
        return ActionResult({"HookResults": []})
