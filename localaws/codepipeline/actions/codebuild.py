"""CodeBuild: a build of a project, with the input artifacts as its sources.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from localaws import moto_app
from localaws.codebuild import runner
from localaws.codepipeline import artifacts, identity
from localaws.codepipeline.action_rules import environment_variables
from localaws.codepipeline.execution import ActionRun, Artifact, Outcome
from localaws.codepipeline.identity import Identity
from localaws.codepipeline.pipeline import ActionFailed


def perform(run: ActionRun) -> Outcome:
    """Run the build to its end."""
    configuration = run.configuration or {}
    name, region = configuration["ProjectName"], artifacts.region_of(run)
    who = identity.of_action(run)
    arn = f"arn:aws:codebuild:{region}:{who.account}:project/{name}"
    who.require("codebuild:StartBuild", arn)
    builder = _builder(arn, run)

    def started(build: str) -> None:
        run.external_id, run.external_url = build, _url(name, who.account, region, build)

    with tempfile.TemporaryDirectory(prefix="localaws-artifacts-") as folder:
        sources = {one.name: artifacts.get(run, one, Path(folder), builder) for one in run.inputs}
        result = runner.run(
            name,
            who.account,
            region,
            sources=sources,
            primary=configuration.get("PrimarySource", run.action.inputs[0]),
            environment=environment_variables(run.action.name, configuration.get("EnvironmentVariables", "[]")),
            initiator=f"codepipeline/{run.execution.definition.name}",
            cancelled=run.cancelled,
            started=started,
        )
    try:
        if result.status != "SUCCEEDED":
            raise ActionFailed("JobFailed", _reason(result))
        return Outcome(artifacts=_outputs(run, result.outputs, builder), variables=dict(result.exported))
    finally:
        result.discard()


def _builder(arn: str, run: ActionRun) -> Identity:
    """The role of the project, in whose name CodeBuild reads and writes artifacts."""
    region, account, name = *arn.split(":")[3:5], arn.rsplit("/", 1)[-1]
    found = moto_app.client("codebuild", account, region).batch_get_projects(names=[name])["projects"]
    if not found:
        raise ActionFailed("ConfigurationError", f"Error calling startBuild: Project cannot be found: {arn}")
    return identity.of_service(found[0]["serviceRole"], "codebuild.amazonaws.com", run, arn)


def _outputs(run: ActionRun, made: Mapping[str, Path], builder: Identity) -> tuple[Artifact, ...]:
    """The output artifacts: an only one is the build's primary one, several are its secondary ones of their names."""
    names = run.action.outputs
    by_name = (
        {names[0]: made.get("", made.get(names[0]))} if len(names) == 1 else {name: made.get(name) for name in names}
    )
    for name, file in by_name.items():
        if file is None:
            raise ActionFailed("JobFailed", f"The build has made no artifact for the output artifact {name}")
    return tuple(artifacts.put(run, name, file, builder) for name, file in by_name.items() if file)


def _reason(result: runner.BuildResult) -> str:
    failed = next((phase for phase in result.phases if phase.status != "SUCCEEDED"), None)
    where = f" Phase: {failed.name}, {result.reason}" if failed else ""
    return f"Build terminated with state: {result.status}.{where}"


def _url(name: str, account: str, region: str, build: str) -> str:
    """The build's page in AWS's console."""
    page = f"projects/{name}/build/{quote(build, safe='')}?region={region}"
    return f"https://console.aws.amazon.com/codesuite/codebuild/{account}/{page}"
