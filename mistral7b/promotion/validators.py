"""What AWS and the repositories' hosts accept as one value of pipeline.yaml. The schema's fields refer to it.

A function returns the value as it is, or raises pydantic's error with reason and fix.
"""

import re

from mistral7b.yamlfile import pattern, refusal

_ACCOUNT = r"[0-9]{12}"
OIDC_PROVIDER_ARN = pattern(
    rf"arn:aws[a-z-]*:iam::{_ACCOUNT}:oidc-provider/token\.actions\.githubusercontent\.com",
    "write it like arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
    "it is not the ARN of GitHub's provider",
)
"""GitHub's OpenID Connect provider (IAM user guide, "Create an OpenID Connect (OIDC) identity provider")."""
CONNECTION_ARN = pattern(
    rf"arn:aws[a-z-]*:(?:codeconnections|codestar-connections):[a-z0-9-]+:{_ACCOUNT}:connection/[0-9a-f-]{{36}}",
    "write it like arn:aws:codeconnections:us-east-1:123456789012:connection/ and the connection's id",
    "it is not the ARN of a connection",
)
"""A connection under the service's present name and the one before July 2024 (CodeConnections API, Connection)."""

LONGEST_COMMAND = 1000
"""Characters of a command: this project's limit, far within what buildspecs and shells take."""
_BRANCH_SIGNS = re.compile(r"[A-Za-z0-9._/@+=,#%-]+")


def branch(value: str) -> str:
    """A branch, as `git check-ref-format --branch` takes it, of characters that need no quoting."""
    parts = value.split("/")
    wrong = (
        not _BRANCH_SIGNS.fullmatch(value)
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
        or value.startswith(("-", "refs/"))
        or value.endswith(".")
        or ".." in value
        or value in ("@", "HEAD")
    )
    if wrong or len(value) > 255:
        raise refusal(
            "git has no branch of such a name, or one that has to be quoted",
            "write only the branch's name, such as main or release/1.0",
        )
    return value


def command(value: str) -> str:
    """A command of a CodeBuild project: one line that does something."""
    fix = "write one command a line; join several with && or put them in a script of the repository"
    if not value.strip() or value.lstrip().startswith("#"):
        raise refusal("it does nothing", "write a command, or leave it out")
    if not value.isprintable():
        raise refusal("it is not one line of characters that can be seen", fix)
    if len(value) > LONGEST_COMMAND:
        raise refusal(f"it has {len(value)} characters, and the limit is {LONGEST_COMMAND}", fix)
    return value
