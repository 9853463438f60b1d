"""One environment as a stage of the app."""

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from mistral7b.environment import Environment
from mistral7b_stacks.checks import add_compliance_packs
from mistral7b_stacks.endpoint import EndpointStack
from sagemaker_tgi import NamedRole


class EnvironmentStage(cdk.Stage):
    """One environment: the stack `<environment>/endpoint`, and `<environment>/github` if a workflow deploys it.

    Without an account in the environment file, they are deployed to the account of the CLI's credentials.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        trusted_roles: Sequence[NamedRole] = (),
        reads_alarms: bool = False,
    ) -> None:
        """Defines the stage, with the environment's name as its id; the others are as of `EndpointStack`."""
        super().__init__(
            scope,
            environment.name,
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        self.endpoint = EndpointStack(
            self, "endpoint", environment=environment, trusted_roles=trusted_roles, reads_alarms=reads_alarms
        )
        """The environment's stack."""
        add_compliance_packs(self, environment.compliance_packs)
        for key, value in environment.tags.items():
            cdk.Tags.of(self).add(key, value)
