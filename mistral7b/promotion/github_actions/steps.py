"""Steps that several jobs have."""

from typing import Any

from mistral7b.promotion.github_actions.names import AUDIENCE
from mistral7b.promotion.github_actions.pins import (
    CHECKOUT,
    CONFIGURE_AWS_CREDENTIALS,
    DOWNLOAD_ARTIFACT,
    UPLOAD_ARTIFACT,
)
from mistral7b.promotion.github_actions.scripts import UNPACK
from mistral7b.promotion.promotion import PromotedEnvironment
from mistral7b.promotion.regions import partition

Step = dict[str, Any]
_ARTIFACT = "cloud-assembly-${{ github.sha }}"
_FILE = "assembly.tar"


def run(name: str, script: str, **more: Any) -> Step:
    """A step that runs a script, and the step's further keys."""
    return {"name": name, **more, "run": script}


def checkout() -> Step:
    """The repository at the run's commit, without leaving a token in the folder."""
    given = {"ref": "${{ github.sha }}", "persist-credentials": False}
    return {"name": "Check out the commit", "uses": CHECKOUT.uses, "with": given}


def upload(retention_days: int) -> Step:
    """The packed assembly as the run's one artifact."""
    given = {"name": _ARTIFACT, "path": _FILE, "if-no-files-found": "error", "retention-days": retention_days}
    return {"name": "Keep the assembly", "uses": UPLOAD_ARTIFACT.uses, "with": given}


def fetch() -> list[Step]:
    """The assembly of the build job, and no other."""
    return [
        {"name": "Fetch the assembly", "uses": DOWNLOAD_ARTIFACT.uses, "with": {"name": _ARTIFACT}},
        run("It is the one that was built", UNPACK, env={"DIGEST": "${{ needs.build.outputs.digest }}"}),
    ]


def credentials(name: str, promoted: PromotedEnvironment, role_name: str, **more: Any) -> Step:
    """Credentials of a role of the environment's account, in the variables of the steps that follow."""
    given = {
        "role-to-assume": f"arn:{partition(promoted.region)}:iam::{promoted.account}:role/{role_name}",
        "role-session-name": "mistral-7b-${{ github.run_id }}",
        "aws-region": promoted.region,
        "allowed-account-ids": promoted.account,
        "audience": AUDIENCE,
        **more,
    }
    return {"name": name, "uses": CONFIGURE_AWS_CREDENTIALS.uses, "with": given}
