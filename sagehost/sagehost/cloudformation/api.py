"""CloudFormation's API, in the place of moto's.

moto's own CloudFormation keeps stacks, change sets and their execution so closely together that hardly a method of it
could stay: it executes at once and in dictionary order, never rolls back, looks change sets up across stacks, and does
not know a third of the operations that the CDK CLI calls. What is used of it is the wire protocol, of which it is one
of many users.
"""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult

from sagehost.cloudformation import answers
from sagehost.cloudformation.api_change_sets import ChangeSets
from sagehost.cloudformation.api_requests import Operations
from sagehost.cloudformation.api_stacks import Resources, Stacks
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.requests import body
from sagehost.cloudformation.store import Target
from sagehost.cloudformation.template import parse


class Templates(Operations):
    """Show and check templates."""

    def get_template(self) -> ActionResult:
        """GetTemplate, of a stack or of a change set."""
        if "ChangeSetName" in self.request:
            wanted: Target | None = self.change_set()[1].target
        else:
            wanted = self.stack().target
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

    def get_stack_policy(self) -> ActionResult:
        """GetStackPolicy: no policy can be set."""
        self.stack()
        return EmptyResult()
