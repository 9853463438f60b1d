"""What every operation of the API needs of its request."""

import uuid

from sagehost import roles
from sagehost.aws_errors import Refused
from sagehost.cloudformation import engine
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.plan import Plan
from sagehost.cloudformation.requests import Request
from sagehost.cloudformation.store import STORES, ChangeSet, Stack, Store, Target, now
from sagehost.moto_app import OwnService

_UPDATABLE = frozenset(
    ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED")
)


class Operations(OwnService):
    """One request."""

    service = "cloudformation"

    @property
    def stacks(self) -> Store:
        """The stacks of the caller's account and region."""
        return STORES[self.current_account, self.region]

    def stack(self) -> Stack:
        """The stack that the request names."""
        if "StackName" not in self.request:
            raise ValidationError("StackName must be specified")
        return self.stacks.get(str(self.request["StackName"]))

    def change_set(self) -> tuple[Stack, ChangeSet]:
        """The change set that the request names by its ARN, or by its name within a stack."""
        name = str(self.request["ChangeSetName"])
        stacks = [self.stack()] if "StackName" in self.request else list(self.stacks.all())
        for stack in stacks:
            for change_set in stack.change_sets.values():
                if change_set.id == name or ("StackName" in self.request and change_set.name == name):
                    return stack, change_set
        raise Refused("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist")

    def check_role(self, stack: Stack, role_arn: str | None = None) -> None:
        """Refuse a role that the caller may not pass or CloudFormation not assume; default: the stack's own."""
        service, passed = "cloudformation.amazonaws.com", self.request.get("RoleARN")
        role_arn = role_arn or passed or (stack.target.role_arn if stack.target else None)
        if role_arn is None:
            return
        caller, pass_role = roles.identity(str(self.access_key)).role, ("iam:PassRole", role_arn, "{}")
        if passed and caller and not roles.allows_action(caller.arn, *pass_role, {"iam:passedtoservice": service}):
            message = f"{caller.arn} is not authorized to perform: iam:PassRole on resource: {passed}"
            raise Refused("AccessDenied", message)
        try:
            roles.check(role_arn, by=service, source_arn=stack.id)
        except roles.AccessDenied as error:
            raise ValidationError(f"Role {role_arn} is invalid or cannot be assumed") from error

    def arn(self, kind: str, name: str) -> str:
        """A new ARN for a stack or a change set."""
        return f"arn:{self.partition}:cloudformation:{self.region}:{self.current_account}:{kind}/{name}/{uuid.uuid4()}"

    def new_stack(self, name: str) -> Stack:
        """A stack that is not yet in the store."""
        return Stack(name=name, id=self.arn("stack", name), account=self.current_account, region=self.region)


def check_updatable(stack: Stack) -> None:
    """Raise ValidationError unless the stack can be updated now."""
    if stack.status not in _UPDATABLE:
        raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def refuse(planned: Plan) -> None:
    """Raise ValidationError if something stands against the plan."""
    if planned.problems:
        raise ValidationError("; ".join(problem.message for problem in planned.problems))


def begin(stack: Stack, wanted: Target, kind: str, request: Request) -> None:
    """Start to create or update the stack."""
    stack.start(f"{kind}_IN_PROGRESS", request.get("ClientRequestToken"))
    stack.role_arn = wanted.role_arn
    stack.disable_rollback = bool(request.get("DisableRollback")) or request.get("OnFailure") == "DO_NOTHING"
    stack.retain_except_on_create = bool(request.get("RetainExceptOnCreate"))
    if kind == "UPDATE":
        stack.updated = now()
    engine.start(lambda: engine.bring(stack, wanted, kind), stack)
