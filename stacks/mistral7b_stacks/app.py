"""All stacks of the app, and how app.py synthesizes them."""

import sys
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk

from mistral7b.environment import Environment, EnvironmentFileError, load_environment, load_environments
from mistral7b.environment.warnings import NEVER_SCHEDULED, never_scheduled
from mistral7b.promotion import Promotion, load_promotion
from mistral7b.promotion.github_actions import deploy_role_name
from mistral7b.promotion.names import gates_project_role_name
from mistral7b_stacks.checks import InvalidContextError, add_template_validation, is_listed, remember_verdicts
from mistral7b_stacks.github import add_github_stacks
from mistral7b_stacks.pipeline import PipelineStack
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import InvalidPropsError, NamedRole


def main(folder: Path) -> None:
    """Synthesizes the project in `folder`, which has its files in `environments/`; this is all that an app.py does.

    A mistake in a file ends with a message and exit code 2, a finding of a check with 1.

    `cdk -c environments=FOLDER` takes the files of another folder. `-c only=dev,prod` defines only these stages; every
    file is read and checked all the same. `-c validation=full` checks templates that have passed before, too.
    """
    app = cdk.App(builtin_cloud_formation_validation=False)
    files = Path(app.node.try_get_context("environments") or folder / "environments")
    try:
        environments = load_environments(files)
        promotion = load_promotion(files, environments)
        exported = app.node.try_get_context("export")  # `mistral7b export`: one environment as a plain template
        if only := exported or app.node.try_get_context("only"):
            environments = {
                name: environments.get(name) or load_environment(files, name) for name in str(only).split(",")
            }
        define(app, environments, None if exported else promotion)
        verdicts = remember_verdicts(app, folder / ".mistral7b" / "validated")
    except (EnvironmentFileError, InvalidPropsError, InvalidContextError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    add_template_validation(app)
    try:
        assembly = app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        sys.exit(1)  # the checks have printed their findings
    if verdicts:
        verdicts.keep(Path(assembly.directory) / "validation-report.json")


def define(
    app: cdk.App, environments: Mapping[str, Environment], promotion: Promotion | None = None
) -> PipelineStack | None:
    """Defines a stage for each environment and, if there is one, the pipeline that promotes them.

    Returns:
        The pipeline's stack, if there is a pipeline file, and all that it promotes is among the environments.
    """
    if is_listed(app):  # in the report the mark of `mark_unchecked` would fail the synth itself
        app.node.set_context("@aws-cdk/core:annotationsInValidationReport", value=False)
    promoted = {one.name: one for one in promotion.environments} if promotion else {}
    stages = {
        name: EnvironmentStage(
            app,
            environment=environment,
            trusted_roles=_trusted_roles(environment, promotion) if promotion and name in promoted else (),
            reads_alarms=name in promoted and promoted[name].quiet_minutes > 0,
        )
        for name, environment in environments.items()
    }
    for name, text in never_scheduled(environments.values()).items():
        cdk.Annotations.of(stages[name].endpoint).add_warning_v2(NEVER_SCHEDULED, text)
    if promotion is None:
        return None
    add_github_stacks(promotion, stages)  # before the pipeline, which deploys what the stages hold
    if not promoted.keys() <= stages.keys():
        return None
    return PipelineStack(app, promotion=promotion, stages=stages)


def _trusted_roles(environment: Environment, promotion: Promotion) -> list[NamedRole]:
    """Who runs an environment's smoke test and gates.

    An environment without an account in its file trusts the account that it is deployed to, not the pipeline file's:
    `cdk deploy 'dev/*'` with the unchanged example files must not trust a stranger's account.
    """
    account = promotion.settings.account if environment.account else None
    trusted = [NamedRole(gates_project_role_name(environment.name), account)]
    if promotion.settings.github_actions is not None:
        trusted.append(NamedRole(deploy_role_name(environment.name)))
    return trusted
