"""Who may assume which role, credentials of those that may, and what a role's policies let a service do in its name.

A role has to exist and to trust the caller. A caller that is itself a role's session also needs its own role's policies
to allow it, but for a role of the same account that names it:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-cross-account.html
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import ServiceException
from moto.iam.models import AccessKey, IAMBackend, ManagedPolicy, Role, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from sagehost import accounts, moto_app, policies
from sagehost.policies import Context, NotEvaluated, Statement, principals

_ACTION = "sts:AssumeRole"
_HOUR_S = 3600
"""A session's length unless asked for otherwise, and the longest of a session that another session has started."""

Credentials = Mapping[str, Any]
"""AccessKeyId, SecretAccessKey, SessionToken and Expiration, as STS gives them."""


class AccessDenied(ServiceException):
    """The policies do not allow it, or the role does not exist: AWS does not say which. The text is IAM's."""

    code = "AccessDenied"


@dataclass(frozen=True)
class Identity:
    """Who calls: an account's administrator, a user (whose own policies are not asked), a role's session, a service."""

    arn: str
    """The ARN of the account's root, of the user or of the session; for a service its name."""
    account: str | None = None
    """The account that it belongs to; None for a service."""
    role: Role | None = None
    """The role, for a session."""

    @property
    def principal_arn(self) -> str | None:
        """The value of `aws:PrincipalArn`: for a session the ARN of its role; services have none."""
        return self.role.arn if self.role else self.arn if self.account else None


def identity(access_key: str, partition: str = "aws") -> Identity:
    """Who calls with this access key id. One that nobody has been given is the administrator of the default account."""
    account = accounts.account_of(access_key)
    if account is None and (started := session(access_key)):
        return Identity(started.arn, started.account_id, find(started.role_arn))
    if account is None and (issued := access_key_of(access_key)) and (name := issued[1].user_name):
        return Identity(issued[0].get_user(name).arn, issued[0].account_id)
    account = account or accounts.DEFAULT_ACCOUNT
    return Identity(f"arn:{partition}:iam::{account}:root", account)


def session(access_key: str) -> AssumedRole | None:
    """The session of a role that STS has given this access key id, if it has."""
    found = (sts_backends[account][part] for account in list(sts_backends) for part in list(sts_backends[account]))
    return next((one for sts in found if (one := sts.get_assumed_role_from_access_key(access_key))), None)


def access_key_of(key_id: str) -> tuple[IAMBackend, AccessKey] | None:
    """The access key of a user or of a session that has been issued with this id, and the back end that has it."""
    found = (iam_backends[account][part] for account in list(iam_backends) for part in list(iam_backends[account]))
    return next(((iam, key) for iam in found if (key := iam.access_keys.get(key_id))), None)


def assume(
    role_arn: str,
    *,
    by: str | Identity,
    session_name: str | None = None,
    source_arn: str | None = None,
) -> Credentials:
    """Credentials of a new session, by this RoleSessionName or a new one. Raises AccessDenied; see `check`."""
    with moto_app.STATE:
        check(role_arn, by=by, source_arn=source_arn)
        session: AssumedRole = sts_backends[role_arn.split(":")[4]]["aws"].assume_role(
            region_name=accounts.DEFAULT_REGION,
            role_session_name=session_name or uuid.uuid4().hex,
            role_arn=role_arn,
            policy="",
            duration=_HOUR_S,
            external_id="",
        )
        return {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": session.expiration,
        }


def check(role_arn: str, *, by: str | Identity, source_arn: str | None = None, external_id: str | None = None) -> None:
    """Whether a service principal, such as `codebuild.amazonaws.com`, or another caller may assume a role.

    `source_arn` is the resource for which a service acts: `aws:SourceArn` and, by its account, `aws:SourceAccount`.

    Raises:
        AccessDenied: the role does not exist, or its trust policy or the caller's own policies do not allow it.
    """
    caller = Identity(by) if isinstance(by, str) else by
    refusal = f"User: {caller.arn} is not authorized to perform: {_ACTION} on resource: {role_arn}"
    with moto_app.STATE:
        role = find(role_arn)
        if role is None:
            raise AccessDenied(refusal)
        context = {
            "aws:sourceaccount": source_arn and source_arn.split(":")[4],
            "aws:sourcearn": source_arn,
            "sts:externalid": external_id,
            "aws:principalarn": caller.principal_arn,
            "aws:principalaccount": caller.account,
            **policies.tags_context((tag["Key"], tag["Value"]) for tag in role.tags),
        }
        try:
            trust = policies.statements(role.assume_role_policy_document)
            trusted = policies.allows(trust, _ACTION, lambda one: _names(one, caller), context)
            if not trusted or not _allowed(role, caller, trusted, context):
                raise AccessDenied(refusal)
        except NotEvaluated as error:
            raise AccessDenied(f"{refusal} ({error})") from error


def check_action(
    role_arn: str,
    action: str,
    resource: str,
    context: Context,
    resource_policy: str = "{}",
    *,
    owner: str = "",
    session: str = "SageMaker",
) -> None:
    """Whether a role's policies, or what the resource's policy says about the role, allow a service to do something.

    Permissions boundaries are not looked at. `resource` is an ARN, or `*` for an action without resources; `context`
    has the condition keys beside those of every request; `session` is the name of the service's session. Where
    `owner`, the resource's account, is given, the policy of another account's resource, and of a key, has to allow the
    role or its account as well. Raises AccessDenied: they do not, or a policy denies it.
    """
    _, partition, _, _, account, name = role_arn.split(":")
    everywhere = {"aws:principalarn": role_arn, "aws:resourceaccount": owner or account, "aws:securetransport": "true"}
    context, because, others = {**everywhere, **context}, "", owner not in ("", account)
    try:
        policy = policies.statements(resource_policy)
        about = [one for one in policy if not others and {role_arn, "*"} & {*principals(one, "AWS")}]
        granted = [one for one in policy if _names(one, Identity(role_arn, account))]
        besides = [granted] if others or (owner and action.startswith("kms:")) else []
        if all(_permitted(one, action, resource, context) for one in ([*statements(role_arn), *about], *besides)):
            return
    except NotEvaluated as error:
        because = f" ({error})"
    caller = f"arn:{partition}:sts::{account}:assumed-role/{name.rsplit('/', 1)[-1]}/{session}"
    raise AccessDenied(f"User: {caller} is not authorized to perform: {action} on resource: {resource}{because}")


def allows_action(role_arn: str, action: str, resource: str, resource_policy: str, context: Context) -> bool:
    """Whether `check_action` finds it allowed."""
    try:
        check_action(role_arn, action, resource, context, resource_policy)
    except AccessDenied:
        return False
    return True


def statements(role_arn: str) -> list[Statement]:
    """The statements of a role's inline and attached policies; none for a role that does not exist."""
    role = find(role_arn)
    if role is None:
        return []
    documents = [*role.policies.values(), *map(_document, role.managed_policies.values())]
    return [one for document in documents for one in policies.statements(document)]


def _names(statement: Statement, caller: Identity) -> bool:
    """Whether a statement is about the caller, or the whole of its account."""
    if caller.account is None:
        return caller.arn in principals(statement, "Service") or statement.get("Principal") == "*"
    own, root = {"*", caller.account, caller.arn, caller.principal_arn}, f":iam::{caller.account}:root"
    return any(name in own or name.endswith(root) for name in principals(statement, "AWS"))


def _allowed(role: Role, caller: Identity, trusted: list[Statement], context: Context) -> bool:
    """Whether the caller's own policies allow it, where they are asked."""
    if caller.role is None:  # services have none, administrators may do everything
        return True
    own = {caller.arn, caller.principal_arn}
    if caller.account == role.account_id and any(own & {*principals(one, "AWS")} for one in trusted):
        return True
    boundary = caller.role.permissions_boundary_arn
    documents = [statements(caller.role.arn)]
    if boundary:
        iam = iam_backends[caller.role.account_id][caller.role.arn.split(":")[1]]
        documents.append(policies.statements(_document(iam.get_policy(boundary))))
    return all(_permitted(document, _ACTION, role.arn, context) for document in documents)


def _permitted(statements: list[Statement], action: str, resource: str, context: Context) -> bool:
    return bool(policies.allows(statements, action, lambda one: policies.on_resource(one, resource), context))


def _document(policy: ManagedPolicy) -> str:
    """The version of a managed policy that is in force."""
    document: str = next(one.document for one in policy.versions if one.version_id == policy.default_version_id)
    return document


def find(arn: str) -> Role | None:
    """The role of this ARN, by its whole name and path, or None."""
    account = f"{arn}:::::".split(":")[4]
    roles = [role for iam in iam_backends[account].values() for role in iam.roles.values()] if account else []
    return next((role for role in roles if role.arn == arn), None)
