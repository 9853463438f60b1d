"""What the stacks have in common: names, how long things are kept, and the roles that deploy them."""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import aws_cdk as cdk
from aws_cdk.aws_logs import RetentionDays
from constructs import Construct

from mistral7b.environment import Environment, schema
from mistral7b.project import DEFAULT_QUALIFIER, Bootstrap
from mistral7b_stacks.checks import mark_unchecked
from sagemaker_tgi import NamedRole, Permission

# Both list the numbers of days in ascending order; the CDK ends with INFINITE, which the file does not offer.
RETENTION_DAYS = dict(zip(get_args(schema.RetentionDays), RetentionDays, strict=False))

REMOVAL: dict[Literal["destroy", "retain"], cdk.RemovalPolicy] = {
    "destroy": cdk.RemovalPolicy.DESTROY,
    # A failed first deployment deletes it all the same: it would block the second one.
    "retain": cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
}


class EnvironmentStack(cdk.Stack):
    """A stack of one environment: `mistral-7b-<environment>-<id>`.

    It sets no termination protection: the CDK CLI would set it before the first deployment, and one that fails could
    then neither be repeated nor destroyed. `mistral7b protect` sets it after a deployment that succeeded.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, description: str) -> None:
        """Defines the stack; account and region are the stage's."""
        super().__init__(
            scope,
            construct_id,
            stack_name=f"mistral-7b-{environment.name}-{construct_id}",
            description=f"Mistral 7B, {environment.name}: {description}",
            synthesizer=cdk.BootstraplessSynthesizer() if scope.node.try_get_context("export") else None,
        )
        mark_unchecked(self)


def assume(sid: str, reason: str, role_arns: Sequence[str]) -> Permission:
    """To assume these roles."""
    return Permission(sid, reason, ["sts:AssumeRole"], role_arns)


def bootstrap_roles(
    stack: cdk.Stack, kind: Literal["deploy", "file-publishing", "lookup"], places: Iterable[tuple[str, str]]
) -> list[str]:
    """ARNs of roles that `cdk bootstrap` has made in accounts and regions, for any stack of the app.

    The role `deploy` starts deployments, `file-publishing` uploads templates, `lookup` only reads.
    """
    bootstrap = Bootstrap(stack.synthesizer.bootstrap_qualifier or DEFAULT_QUALIFIER)
    return [
        NamedRole(bootstrap.role(kind, account, region), account).arn(stack) for account, region in sorted(set(places))
    ]
