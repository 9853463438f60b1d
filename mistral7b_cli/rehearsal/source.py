"""Source actions: the branch of the clone that stands for the repository, as an archive in the artifact store."""

import tempfile
from pathlib import Path

from mistral7b_cli.rehearsal.repository import archive
from mistral7b_cli.rehearsal.run import ActionFailedError, Run

_SERVICES = ("codestar-connections", "codeconnections")
"""The former and the present name of the service: a permission by either is good."""


def run_source(run: Run) -> None:
    """Puts the repository's files into the output artifact."""
    who, arn, branch = run.role(), run.configuration("ConnectionArn"), run.configuration("BranchName")
    # The condition keys that UseConnection has under one name of the service, it has not under the other (Developer
    # Tools console user guide, "AWS CodeConnections permissions reference").
    asked = {"fullrepositoryid": run.configuration("FullRepositoryId"), "branchname": branch}
    names = {name: {f"{name}:{key}": value for key, value in asked.items()} for name in _SERVICES}
    absent = dict.fromkeys([key for keys in names.values() for key in keys])
    if not any(who.may(f"{name}:UseConnection", arn, context=absent | keys) for name, keys in names.items()):
        raise ActionFailedError(
            f"Unable to use Connection: {arn}. The provided role does not have sufficient permissions."
        )
    service, region, account = arn.split(":")[2:5]  # as the administrator: GetConnection takes a permission of its own
    connection = run.cloud.client(service, account, region).get_connection(ConnectionArn=arn)["Connection"]
    status = connection["ConnectionStatus"]
    if status != "AVAILABLE":
        raise ActionFailedError(f"Connection {arn} is not available: its status is {status}")
    with tempfile.TemporaryDirectory() as folder:
        file, name = Path(folder, "source.zip"), run.declared.outputs[0]
        commit = archive(run.clone, branch, file)
        if commit is None:
            raise ActionFailedError(f"The repository has no branch {branch}")
        run.artifacts[name] = run.put(name, file.read_bytes(), who, acl=True)
    run.execution.commit = commit
