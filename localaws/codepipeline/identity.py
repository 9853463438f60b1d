"""In whose name an action works: the pipeline's role, or the action's own, which the pipeline's assumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localaws import moto_app, roles
from localaws.codepipeline.definition import Definition
from localaws.codepipeline.execution import ActionRun
from localaws.codepipeline.pipeline import ActionFailed
from localaws.hosting import permissions
from localaws.policies import Context

_NOTHING: Context = {}
SERVICE = "codepipeline.amazonaws.com"
"""CodePipeline as a principal."""


@dataclass(frozen=True)
class Identity:
    """A session of a role."""

    role_arn: str
    credentials: roles.Credentials

    @property
    def account(self) -> str:
        """The account of the role."""
        return self.role_arn.split(":")[4]

    def client(self, service: str, region: str) -> Any:
        """A boto3-style client with the session's credentials."""
        return moto_app.session_client(service, region, self.credentials)

    def require(
        self,
        action: str,
        resource: str,
        *,
        resource_policy: str = "{}",
        context: Context = _NOTHING,
        message: str | None = None,
    ) -> None:
        """Raise ActionFailed unless a policy of the role, or that of the resource, allows the action."""
        if not self.may(action, resource, resource_policy, context):
            raise ActionFailed(
                "PermissionError",
                message or f"{self.role_arn} is not authorized to perform: {action} on resource: {resource}",
            )

    def may(self, action: str, resource: str, resource_policy: str = "{}", context: Context = _NOTHING) -> bool:
        """Whether a policy of the role, or that of the resource, allows the action, by these condition keys."""
        with moto_app.STATE:
            return permissions.allows(self.role_arn, action, resource, resource_policy, context)


def of_pipeline(definition: Definition, session: str) -> Identity:
    """The pipeline's role, in a session of this name. Raises ActionFailed."""
    return _assumed(definition.role_arn, SERVICE, session, definition.arn)


def of_action(run: ActionRun) -> Identity:
    """The role of an action, or the pipeline's if it has none. Raises ActionFailed."""
    session = run.execution.id
    pipeline = of_pipeline(run.execution.definition, session)
    if run.action.role_arn is None:
        return pipeline
    return _assumed(run.action.role_arn, pipeline.credentials, session)


def of_service(role_arn: str, service: str, run: ActionRun, source_arn: str) -> Identity:
    """The role of another service's resource, which works for an action. Raises ActionFailed."""
    return _assumed(role_arn, service, run.execution.id, source_arn)


def _assumed(role: str, by: str | roles.Credentials, session: str, source_arn: str | None = None) -> Identity:
    account = source_arn.split(":")[4] if source_arn else None
    try:
        credentials = roles.assume(role, by=by, session_name=session, source_account=account, source_arn=source_arn)
    except roles.AccessDenied as error:
        raise ActionFailed("PermissionError", str(error.message)) from error
    return Identity(role, credentials)
