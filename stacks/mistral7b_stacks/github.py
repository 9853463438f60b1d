"""What lets workflows of GitHub Actions deploy to an environment: GitHub as an identity provider, and two roles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from mistral7b.promotion import PipelineSettings, PromotedEnvironment, Promotion
from mistral7b.promotion.github_actions import (
    AUDIENCE,
    PROVIDER,
    deploy_role_name,
    review_role_name,
    review_subjects,
    session_seconds,
    subjects,
)
from mistral7b.promotion.names import gate_role_name
from mistral7b_stacks.base import EnvironmentStack
from mistral7b_stacks.pipeline.bootstrap import BootstrapRole, bootstrap_role_arn
from mistral7b_stacks.retention import REMOVAL
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import acknowledge_rule, explain_statements

_TRUST = "sts:AssumeRoleWithWebIdentity"


@dataclass(frozen=True)
class Provider:
    """GitHub as an identity provider of an account, which can have it once."""

    is_made: bool
    """Whether this environment's stack makes it."""
    is_shared: bool
    """Whether other environments are in the account, too."""


class GithubStack(EnvironmentStack):
    """The roles of one environment's jobs, and the account's provider where this stack is the one that makes it.

    An administrator deploys it once, before the first run; from then on the workflow does, with the other stacks.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        promoted: PromotedEnvironment,
        settings: PipelineSettings,
        provider: Provider,
    ) -> None:
        """Defines the stack.

        Args:
            scope: The environment's stage.
            construct_id: Id within `scope`.
            promoted: The environment.
            settings: The pipeline file.
            provider: Whether the stack makes the account's provider, and for how many environments.
        """
        super().__init__(
            scope, construct_id, environment=promoted.environment, description="deployments by GitHub Actions"
        )
        provider_arn = self._provider_arn(provider)
        self._role(
            "ReviewRole",
            name=review_role_name(promoted.name),
            provider_arn=provider_arn,
            subjects=review_subjects(settings),
            trust="the job that compares, of a run on the promoted branch; it is in no GitHub environment",
            statements={"Look": (self._bootstrap_roles("lookup"), "the CDK reads what is deployed, to compare")},
        )
        gate_role = self.format_arn(
            service="iam", region="", resource="role", resource_name=gate_role_name(promoted.name)
        )
        self._role(
            "DeployRole",
            name=deploy_role_name(promoted.name),
            provider_arn=provider_arn,
            subjects=subjects(settings, promoted.name),
            trust="the job that deploys, in the GitHub environment that has this environment's name and reviewers",
            statements={
                "Deploy": (
                    self._bootstrap_roles("deploy", "file-publishing", "lookup"),
                    "the CDK uploads templates and starts deployments with the roles of its bootstrap, in this account "
                    "and region alone",
                ),
                "Gate": ([gate_role], "smoke test and gates, which may ask the endpoint and nothing else"),
            },
            max_session=cdk.Duration.seconds(session_seconds(promoted)),
        )

    def _provider_arn(self, provider: Provider) -> str:
        """ARN of the account's provider for GitHub, of which there can be one (IAM user guide, "OIDC federation")."""
        if provider.is_made:
            return iam.OidcProviderNative(
                self,
                "Provider",
                url=f"https://{PROVIDER}",
                client_ids=[AUDIENCE],
                # Other environments of the account go on using it when this one is removed.
                removal_policy=REMOVAL["retain" if provider.is_shared else "destroy"],
            ).oidc_provider_arn
        return self.format_arn(service="iam", region="", resource="oidc-provider", resource_name=PROVIDER)

    def _bootstrap_roles(self, *kinds: BootstrapRole) -> list[str]:
        return [bootstrap_role_arn(self, kind, account=self.account, region=self.region) for kind in kinds]

    def _role(
        self,
        construct_id: str,
        *,
        name: str,
        provider_arn: str,
        subjects: Sequence[str],
        trust: str,
        statements: Mapping[str, tuple[Sequence[str], str]],
        max_session: cdk.Duration | None = None,
    ) -> None:
        """Makes a role for jobs with such a `sub`, which may take on other roles and nothing else.

        Args:
            construct_id: Id within the stack.
            name: The role's name, which the workflow has.
            provider_arn: The account's provider for GitHub.
            subjects: Patterns of the tokens' `sub`.
            trust: Which jobs those are.
            statements: By Sid, the roles that it may take on, and why.
            max_session: Its longest session. Default: an hour.
        """
        tokens = {
            "StringEquals": {f"{PROVIDER}:aud": AUDIENCE},
            "StringLike": {f"{PROVIDER}:sub": list(subjects)},
        }
        role = iam.Role(
            self,
            construct_id,
            role_name=name,
            description=f"GitHub Actions: {trust}",
            assumed_by=iam.WebIdentityPrincipal(provider_arn, tokens),
            max_session_duration=max_session,
            inline_policies={
                sid: iam.PolicyDocument(
                    statements=[iam.PolicyStatement(sid=sid, actions=["sts:AssumeRole"], resources=list(roles))]
                )
                for sid, (roles, _) in statements.items()
            },
        )
        explain_statements(role, {_TRUST: trust, **{sid: reason for sid, (_, reason) in statements.items()}})
        acknowledge_rule(
            role,
            "IAMNoInlinePolicy",
            "this environment's own roles, named one by one; a managed policy could be attached",
        )


def add_github_stacks(promotion: Promotion, stages: Mapping[str, EnvironmentStage]) -> list[GithubStack]:
    """Adds `ENVIRONMENT/github` to the stage of each promoted environment, if the pipeline file says GitHub Actions.

    Args:
        promotion: What is promoted.
        stages: The environments' stages, by name: those of all that is promoted, or of some.
    """
    actions = promotion.settings.github_actions
    if actions is None:
        return []
    accounts = [promoted.account for promoted in promotion.environments]
    present = {arn.split(":")[4] for arn in actions.oidc_provider_arns}
    stacks = []
    for promoted in promotion.environments:
        is_made = promoted.account not in present
        present.add(promoted.account)
        if promoted.name not in stages:
            continue
        stacks.append(
            GithubStack(
                stages[promoted.name],
                "github",
                promoted=promoted,
                settings=promotion.settings,
                provider=Provider(is_made, is_shared=accounts.count(promoted.account) > 1),
            )
        )
    return stacks
