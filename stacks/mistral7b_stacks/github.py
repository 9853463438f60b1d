"""GitHub Actions' access to an environment: GitHub as an identity provider, and two roles."""

from collections.abc import Mapping

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
from mistral7b_stacks.base import REMOVAL, EnvironmentStack, assume, bootstrap_roles
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import LeastPrivilegeRole, NamedRole, Permission


class GithubStack(EnvironmentStack):
    """The roles of one environment's jobs, and the account's identity provider if this stack makes it.

    An administrator deploys it once, before the first run; from then on the workflow does, with the other stacks.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        promoted: PromotedEnvironment,
        settings: PipelineSettings,
        makes_provider: bool,
        shares_account: bool,
    ) -> None:
        """Defines the stack.

        Args:
            makes_provider: Whether this stack makes GitHub as the account's identity provider.
            shares_account: Whether other environments, which use the provider too, are in the account.
        """
        super().__init__(
            scope, construct_id, environment=promoted.environment, description="deployments by GitHub Actions"
        )
        # An account can have one provider for GitHub (IAM user guide, "OIDC federation").
        self._provider_arn = self.format_arn(service="iam", region="", resource="oidc-provider", resource_name=PROVIDER)
        if makes_provider:
            self._provider_arn = iam.OidcProviderNative(
                self,
                "Provider",
                url=f"https://{PROVIDER}",
                client_ids=[AUDIENCE],
                # Other environments of the account go on using it when this one is removed.
                removal_policy=REMOVAL["retain" if shares_account else "destroy"],
            ).oidc_provider_arn
        place = [(self.account, self.region)]
        lookup = bootstrap_roles(self, "lookup", place)
        deploy = [*bootstrap_roles(self, "deploy", place), *bootstrap_roles(self, "file-publishing", place), *lookup]
        gate_role = NamedRole(gate_role_name(promoted.name)).arn(self)
        self._role(
            "ReviewRole",
            review_role_name(promoted.name),
            review_subjects(settings),
            "the job that compares, of a run on the promoted branch; it is in no GitHub environment",
            assume("Look", "the CDK reads what is deployed, to compare", lookup),
        )
        self._role(
            "DeployRole",
            deploy_role_name(promoted.name),
            subjects(settings, promoted.name),
            "the job that deploys, in the GitHub environment that has this environment's name and reviewers",
            assume(
                "Deploy",
                "the CDK uploads templates and starts deployments with the roles of its bootstrap, in this account and "
                "region only",
                deploy,
            ),
            assume("Gate", "smoke test and gates, which may invoke the endpoint and nothing else", [gate_role]),
            max_session=cdk.Duration.seconds(session_seconds(promoted)),
        )

    def _role(
        self,
        construct_id: str,
        name: str,
        subjects: list[str],
        trust: str,
        *permissions: Permission,
        max_session: cdk.Duration | None = None,
    ) -> None:
        """Makes a role that jobs assume whose token has such a `sub`, for an hour by default."""
        tokens = {"StringEquals": {f"{PROVIDER}:aud": AUDIENCE}, "StringLike": {f"{PROVIDER}:sub": subjects}}
        LeastPrivilegeRole(
            self,
            construct_id,
            role_name=name,
            description=f"GitHub Actions: {trust}",
            assumed_by=iam.WebIdentityPrincipal(self._provider_arn, tokens),
            trust=trust,
            max_session_duration=max_session,
            policies={permission.sid: [permission] for permission in permissions},
        )


def add_github_stacks(promotion: Promotion, stages: Mapping[str, EnvironmentStage]) -> None:
    """Adds `ENVIRONMENT/github` to the stage of each promoted environment, if the pipeline file says GitHub Actions.

    `stages` are by name: of all that is promoted, or of some.
    """
    actions = promotion.settings.github_actions
    if actions is None:
        return
    accounts = [promoted.account for promoted in promotion.environments]
    with_provider = {arn.split(":")[4] for arn in actions.oidc_provider_arns}
    for promoted in promotion.environments:
        if promoted.name in stages:
            GithubStack(
                stages[promoted.name],
                "github",
                promoted=promoted,
                settings=promotion.settings,
                makes_provider=promoted.account not in with_provider,
                shares_account=accounts.count(promoted.account) > 1,
            )
        with_provider.add(promoted.account)
