"""Source actions: the branch of the clone that stands for the repository, as an archive in the artifact store."""

import subprocess
import tempfile
from pathlib import Path

from botocore.exceptions import ClientError

from mistral7b_cli.rehearsal.run import ActionFailedError, Run

_SERVICES = ("codestar-connections", "codeconnections")
"""The former and the present name of the service: a permission by either is good."""


def run_source(run: Run) -> None:
    """Puts the repository's files into the output artifact."""
    arn, branch = run.configuration("ConnectionArn"), run.configuration("BranchName")
    who = run.role()
    if not any(who.may(f"{one}:UseConnection", arn, context=_request(run, one)) for one in _SERVICES):
        raise ActionFailedError(
            f"Unable to use Connection: {arn}. The provided role does not have sufficient permissions."
        )
    _check_connection(run, arn)
    try:
        commit = _git(run.clone, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    except subprocess.CalledProcessError as error:
        raise ActionFailedError(f"The repository has no branch {branch}") from error
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "source.zip")
        _git(run.clone, "archive", "--format=zip", f"--output={file}", commit)
        name = run.declared.outputs[0]
        run.artifacts[name] = run.put(name, file.read_bytes(), who, acl=True)
    run.execution.commit = commit


def _request(run: Run, service: str) -> dict[str, str | None]:
    """The condition keys of UseConnection: those that the service has by the one name, it has not by the other.

    Source: Developer Tools console user guide, "AWS CodeConnections permissions reference".
    """
    values = {"fullrepositoryid": run.configuration("FullRepositoryId"), "branchname": run.configuration("BranchName")}
    return {f"{one}:{key}": value if one == service else None for one in _SERVICES for key, value in values.items()}


def _check_connection(run: Run, arn: str) -> None:
    """As the account's administrator: GetConnection takes a permission of its own."""
    service, region, account = arn.split(":")[2:5]
    try:
        found = run.cloud.client(service, account, region).get_connection(ConnectionArn=arn)["Connection"]
    except ClientError as error:
        raise ActionFailedError(error.response["Error"]["Message"]) from error
    if found["ConnectionStatus"] != "AVAILABLE":
        raise ActionFailedError(f"Connection {arn} is not available: its status is {found['ConnectionStatus']}")


def _git(clone: Path, *arguments: str) -> str:
    ended = subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, text=True, check=True)
    return ended.stdout.strip()
