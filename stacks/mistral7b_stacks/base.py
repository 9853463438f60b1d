"""What the stacks of an environment have in common."""

import aws_cdk as cdk
from constructs import Construct

from mistral7b.environment import Environment
from mistral7b_stacks.checks import mark_unchecked


class EnvironmentStack(cdk.Stack):
    """A stack of one environment: `mistral-7b-<environment>-<id>`.

    Its termination protection is not the CDK's to set: the CLI would before the first deployment, and one that fails
    could then neither be repeated nor destroyed. `mistral7b protect` sets it after one that succeeded.
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
