"""The jobs: one build, then for each environment review, approval of broader rights, and deployment with its checks."""

from typing import Any

from mistral7b.promotion.github_actions import durations
from mistral7b.promotion.github_actions.names import deploy_role_name, review_role_name, security_environment
from mistral7b.promotion.github_actions.scripts import APPROVED, PACK, REVIEW
from mistral7b.promotion.github_actions.steps import checkout, credentials, fetch, run, upload
from mistral7b.promotion.names import gate_role_name
from mistral7b.promotion.promotion import PromotedEnvironment
from mistral7b.promotion.schema import PipelineSettings

Job = dict[str, Any]
BUILD = "build"
RUNNER = "ubuntu-24.04"
_MISTRAL7B = ".venv/bin/mistral7b"
_CDK = ".venv/bin/cdk"


def build(settings: PipelineSettings, *, workflow_file: str, synth_options: str) -> Job:
    """Tests the commit, makes its cloud assembly, and tells the assembly's digest. It has no access to AWS.

    Args:
        settings: The pipeline file.
        workflow_file: The workflow's own file, which has to be what the pipeline file makes of it.
        synth_options: Further options of `cdk synth`, with a space before each.
    """
    command = f"{_MISTRAL7B} pipeline github-actions"
    return {
        "name": BUILD,
        "if": f"github.ref == 'refs/heads/{settings.source.branch}'",
        "runs-on": RUNNER,
        "timeout-minutes": durations.BUILD_MINUTES,
        "permissions": {"contents": "read", "actions": "read"},
        "outputs": {"digest": "${{ steps.pack.outputs.digest }}"},
        "steps": [
            checkout(),
            run("Set up", settings.build.setup, env={"INSTALL": "test"}),
            run("This workflow is what the pipeline file says", f"{command} --check --output {workflow_file}"),
            run(
                "GitHub's environments are protected",
                f"{command} --verify-settings",
                env={"GH_TOKEN": "${{ github.token }}"},
            ),
            run("Test", settings.build.test),
            run("Synthesize", f"rm -rf cdk.out\n{_CDK} synth --quiet --output cdk.out{synth_options}\n"),
            run("Pack the assembly", PACK, id="pack"),
            upload(settings.artifacts.retention_days),
        ],
    }


def of_environment(
    settings: PipelineSettings, promoted: PromotedEnvironment, before: PromotedEnvironment | None
) -> dict[str, Job]:
    """The jobs of one environment, which begin when `before` has passed its checks."""
    return {
        _review(promoted.name): _review_job(settings, promoted, before),
        _security(promoted.name): _security_job(promoted),
        _deploy(promoted.name): _deploy_job(settings, promoted),
    }


def _review(environment: str) -> str:
    return f"review-{environment}"


def _security(environment: str) -> str:
    return f"security-{environment}"


def _deploy(environment: str) -> str:
    return f"deploy-{environment}"


def _when(condition: str) -> str:
    """A job's condition. GitHub skips whatever comes after a job that was skipped, however far, unless the condition

    has a status function; `!cancelled()` is the one that still lets a run be cancelled (github.com/actions/runner,
    issue 491). So each condition names the results that it needs.
    """
    return "${{ !cancelled() && " + condition + " }}"


def _review_job(settings: PipelineSettings, promoted: PromotedEnvironment, before: PromotedEnvironment | None) -> Job:
    previous = BUILD if before is None else _deploy(before.name)
    return {
        "name": f"{promoted.name}: review",
        "needs": [BUILD] if before is None else [BUILD, previous],
        "if": _when(f"needs.{previous}.result == 'success'"),
        "runs-on": RUNNER,
        "timeout-minutes": durations.REVIEW_MINUTES,
        "permissions": {"contents": "read", "id-token": "write"},
        "outputs": {"broadens": "${{ steps.review.outputs.broadens }}"},
        "steps": [
            checkout(),
            run("Set up", settings.build.setup, env={"INSTALL": "client"}),
            *fetch(),
            credentials("Sign in to look", promoted, review_role_name(promoted.name)),
            run("What would change", REVIEW, id="review", env={"ENVIRONMENT": promoted.name}),
        ],
    }


def _security_job(promoted: PromotedEnvironment) -> Job:
    review = _review(promoted.name)
    return {
        "name": f"{promoted.name}: approve broader rights",
        "needs": [review],
        "if": _when(f"needs.{review}.result == 'success' && needs.{review}.outputs.broadens == 'true'"),
        "runs-on": RUNNER,
        "timeout-minutes": durations.APPROVED_MINUTES,
        "permissions": {},
        "environment": {"name": security_environment(promoted.name)},
        "steps": [run("Approved", APPROVED, env={"ENVIRONMENT": promoted.name})],
    }


def _deploy_job(settings: PipelineSettings, promoted: PromotedEnvironment) -> Job:
    review, security = _review(promoted.name), _security(promoted.name)
    approved = f"(needs.{review}.outputs.broadens == 'false' || needs.{security}.result == 'success')"
    gates = (
        run(f"Gate {number}", gate, **{"timeout-minutes": durations.GATE_MINUTES})
        for number, gate in enumerate(promoted.gates, start=1)
    )
    return {
        "name": f"{promoted.name}: deploy",
        "needs": [BUILD, review, security],
        "if": _when(f"needs.{review}.result == 'success' && {approved}"),
        "runs-on": RUNNER,
        "timeout-minutes": durations.deploy_minutes(promoted),
        "permissions": {"contents": "read", "id-token": "write"},
        "environment": {"name": promoted.name},
        "steps": [
            checkout(),
            run("Set up", settings.build.setup, env={"INSTALL": "pipeline"}),
            *fetch(),
            credentials(
                "Sign in to deploy",
                promoted,
                deploy_role_name(promoted.name),
                **{"role-duration-seconds": durations.session_seconds(promoted)},
            ),
            run("Deploy", f"{_CDK} --app cdk.out deploy '{promoted.name}/*' --require-approval never"),
            # after a deployment that failed, too: `cdk deploy` turns protection off before it begins
            run(
                "Protect from removal, as the file says", f"{_MISTRAL7B} protect {promoted.name}", **{"if": "always()"}
            ),
            credentials(
                "Sign in to ask the endpoint, and for nothing else",
                promoted,
                gate_role_name(promoted.name),
                **{
                    "role-chaining": True,
                    "role-skip-session-tagging": True,
                    "role-duration-seconds": durations.CHAINED_SESSION_SECONDS,
                },
            ),
            run(
                "Smoke",
                f"{_MISTRAL7B} smoke {promoted.name}",
                **{"timeout-minutes": durations.SMOKE_MINUTES},
            ),
            *gates,
        ],
    }
