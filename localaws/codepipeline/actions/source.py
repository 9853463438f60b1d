"""CodeStarSourceConnection: the head of a branch as a zip file.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from localaws.codepipeline import artifacts, identity
from localaws.codepipeline.execution import ActionRun, Outcome, Revision
from localaws.codepipeline.pipeline import ActionFailed
from localaws.pipelines import connections

GIT_S = 60
"""How long git may take."""

_SERVICES = ("codestar-connections", "codeconnections")
"""The former and the present name of the service, in actions and condition keys."""


def perform(run: ActionRun) -> Outcome:
    """Put the repository's files at that commit into the output artifact."""
    configuration = run.configuration or {}
    arn, name = configuration["ConnectionArn"], configuration["FullRepositoryId"]
    branch = configuration["BranchName"]
    who = identity.of_action(run)
    asked = {"fullrepositoryid": name, "branchname": branch}
    context = {f"{service}:{key}": value for service in _SERVICES for key, value in asked.items()}
    if not any(who.may(f"{service}:UseConnection", arn, context=context) for service in _SERVICES):
        raise ActionFailed(
            "PermissionError",
            f"Unable to use Connection: {arn}. The provided role does not have sufficient permissions.",
        )
    try:
        clone = connections.repository(arn, name)
    except connections.ConnectionUnavailable as error:
        raise ActionFailed("ConfigurationError", str(error)) from error
    commit = _commit(clone, branch)
    author_date, created, message = _git(clone, "show", "--no-patch", "--format=%at%x00%ct%x00%B", commit).split(
        "\0", 2
    )
    with tempfile.TemporaryDirectory(prefix="localaws-source-") as folder:
        file = Path(folder, "source.zip")
        _git(clone, "archive", "--format=zip", f"--output={file}", commit)
        artifact = artifacts.put(run, run.action.outputs[0], file, who, with_acl=True)
    message = message.strip()
    connection = connections.find(arn)
    provider = connection.provider if connection else ""
    summary = json.dumps({"ProviderType": provider, "CommitMessage": message}, ensure_ascii=False)
    url = _url(arn, name, commit)
    run.external_id, run.external_url = commit, url
    return Outcome(
        summary=summary,
        artifacts=(artifact,),
        variables={
            "AuthorDate": f"{_time(author_date):%Y-%m-%dT%H:%M:%SZ}",
            "BranchName": branch,
            "CommitId": commit,
            "CommitMessage": message,
            "ConnectionArn": arn,
            "FullRepositoryName": name,
        },
        revision=Revision(run.action.name, artifact.name, commit, summary, url, _time(created)),
    )


def _time(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _commit(clone: Path, branch: str) -> str:
    """The id of the commit to take: that of the clone's own branch, or of the one that it follows."""
    for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"):
        try:
            return _git(clone, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        except ActionFailed:
            continue
    raise ActionFailed("RevisionUnavailable", f"The repository has no branch {branch}")


def _git(clone: Path, *arguments: str) -> str:
    command = ["git", "-C", str(clone), *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=GIT_S, check=True
        ).stdout
    except subprocess.CalledProcessError as error:
        raise ActionFailed("RevisionUnavailable", f"git {arguments[0]}: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ActionFailed("SystemUnavailable", f"git {arguments[0]}: {error}") from error


def _url(arn: str, name: str, commit: str) -> str:
    """Where CodePipeline sends those who want to see the commit."""
    query = {"connectionArn": arn, "referenceType": "COMMIT", "FullRepositoryId": name, "Commit": commit}
    region = arn.split(":")[3]
    return f"https://{region}.console.aws.amazon.com/codesuite/settings/connections/redirect?{urlencode(query)}"
