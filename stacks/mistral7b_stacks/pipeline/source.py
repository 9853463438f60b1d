"""The repository whose commits are promoted, and the connection to it."""

import aws_cdk as cdk
from aws_cdk import aws_codeconnections as codeconnections
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions

from mistral7b.promotion.names import CONNECTION_NAME
from mistral7b.promotion.schema import Source
from mistral7b_stacks.pipeline.artifacts import SOURCE
from sagemaker_tgi import Permission

# ProviderType in the CodeConnections API.
_PROVIDERS = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket"}
_SERVICES = ("codeconnections", "codestar-connections")


class Repository:
    """The repository as the pipeline's source.

    A connection that the stack makes is PENDING until a person completes its handshake with the repository's host in
    the console, once. Until then the pipeline's source action fails and says so.
    """

    def __init__(self, stack: cdk.Stack, settings: Source) -> None:
        """Defines the connection in the pipeline's stack, unless the file's `source` gives one."""
        self._settings = settings
        self.connection_arn: str = settings.connection_arn or self._connection(stack)
        self.artifact = codepipeline.Artifact(SOURCE)

    def action(self) -> actions.CodeStarConnectionsSourceAction:
        """What fetches the commit, and starts the pipeline when the branch moves."""
        owner, _, name = self._settings.repository.partition("/")
        return actions.CodeStarConnectionsSourceAction(
            action_name="Source",
            connection_arn=self.connection_arn,
            owner=owner,
            repo=name,
            branch=self._settings.branch,
            output=self.artifact,
        )

    def use_permission(self) -> Permission:
        """What the pipeline's role needs, under both names of the service, as CodePipeline may use either.

        Only requests about one repository say which, so the conditions are on those that do. Source: Developer Tools
        console user guide, "AWS CodeConnections permissions reference".
        """
        only = {"FullRepositoryId": self._settings.repository, "BranchName": self._settings.branch}
        return Permission(
            sid="UseConnection",
            reason="to fetch commits of this one repository and branch by the connection",
            actions=[f"{service}:UseConnection" for service in _SERVICES],
            resources=[self.connection_arn],
            conditions={"StringEqualsIfExists": {f"{one}:{k}": v for one in _SERVICES for k, v in only.items()}},
        )

    def look_permission(self) -> Permission:
        """To see whether the connection's handshake is complete."""
        reason = "to see whether the handshake of the connection is complete"
        actions = [f"{service}:GetConnection" for service in _SERVICES]
        return Permission("LookAtConnection", reason, actions, [self.connection_arn])

    def _connection(self, stack: cdk.Stack) -> str:
        connection = codeconnections.CfnConnection(
            stack,
            "Connection",
            connection_name=CONNECTION_NAME,
            provider_type=_PROVIDERS[self._settings.provider],
        )
        cdk.CfnOutput(
            stack,
            "ConnectionHandshake",
            value=f"https://{stack.region}.console.aws.amazon.com/codesuite/settings/connections?region={stack.region}",
            description=f"Once: connection {CONNECTION_NAME}, Update pending connection",
        )
        return connection.attr_connection_arn
