"""All stacks of the app."""

from collections.abc import Mapping

import aws_cdk as cdk

from mistral7b.environment import Environment
from mistral7b.environment.warnings import NEVER_SCHEDULED, never_scheduled
from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import deploy_role_name
from mistral7b.promotion.names import gates_project_role_name
from mistral7b_stacks.checks import is_listed
from mistral7b_stacks.github import add_github_stacks
from mistral7b_stacks.pipeline import PipelineStack
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import NamedRole


def define(
    app: cdk.App, environments: Mapping[str, Environment], promotion: Promotion | None = None
) -> PipelineStack | None:
    """Defines a stage for each environment and, where there is one, the pipeline that promotes them.

    Args:
        app: The app.
        environments: The environments, by name.
        promotion: The pipeline file. Default: no pipeline, and no environment lets one in.

    Returns:
        The pipeline's stack, if there is one, and all that it promotes is among the environments.
    """
    if is_listed(app):  # in the report the mark of `mark_unchecked` would fail the synth itself
        app.node.set_context("@aws-cdk/core:annotationsInValidationReport", value=False)
    promoted = {one.name for one in promotion.environments} if promotion else set()
    stages = {
        name: EnvironmentStage(
            app,
            environment=environment,
            trusted_roles=_trusted_roles(environment, promotion) if promotion and name in promoted else (),
        )
        for name, environment in environments.items()
    }
    for name, text in never_scheduled(environments.values()).items():
        cdk.Annotations.of(stages[name].endpoint).add_warning_v2(NEVER_SCHEDULED, text)
    if promotion is None:
        return None
    add_github_stacks(promotion, stages)  # before the pipeline, which deploys what the stages hold
    if not promoted <= stages.keys():
        return None
    return PipelineStack(app, promotion=promotion, stages=stages)


def _trusted_roles(environment: Environment, promotion: Promotion) -> list[NamedRole]:
    """Who runs an environment's smoke test and gates.

    An environment without an account of its own trusts the account that it is deployed to, never the pipeline file's:
    whoever tries `cdk deploy 'dev/*'` with the file as it came lets no stranger in.
    """
    account = promotion.settings.account if environment.account else None
    trusted = [NamedRole(gates_project_role_name(environment.name), account)]
    if promotion.settings.github_actions is not None:
        trusted.append(NamedRole(deploy_role_name(environment.name)))
    return trusted
