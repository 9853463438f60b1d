"""Where a command talks to: named on standard error, and refused if the file names another account."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mistral7b.cli.failure import CommandError
from mistral7b.cli.output import progress

if TYPE_CHECKING:
    import boto3


class WantedAccount(NamedTuple):
    """The account that a file names, if any."""

    account: str | None
    file: Path


def announce(
    what: str,
    session: "boto3.Session",
    region: str,
    wanted: WantedAccount | None = None,
    *,
    whose: str = "account",
    must_know: bool = False,
) -> None:
    """Names what is asked with its account, and stops before it is asked with credentials of another account.

    Where STS does not answer, as in a VPC without a way to it, the account is left out, unless the command `must_know`.

    Raises:
        CommandError: the credentials are of another account than the file names.
        EndpointError: there are no usable credentials, or the embedded AWS does not answer.
    """
    from mistral7b import endpoint  # noqa: PLC0415 - boto3 takes a moment to load

    embedded = endpoint.is_embedded(endpoint.endpoint_url())
    try:
        account = endpoint.caller_account(session, region)
    except endpoint.EndpointError as error:
        unusable = isinstance(error, endpoint.CredentialsError | endpoint.ConfigurationError)
        if must_know or unusable or (embedded and isinstance(error, endpoint.UnreachableError)):
            raise
        account = None
    if account and wanted and wanted.account and account != wanted.account:
        reason = f"these are credentials of account {account}; {wanted.file} says {wanted.account}"
        shell = f'eval "$(mistral7b local up --account {wanted.account})"'
        raise CommandError(f"{reason}\nfix: {shell if embedded else 'set AWS_PROFILE to a profile of that account'}", 2)
    parts = [what, f"{whose} {account}" if account else "", region, "embedded AWS" if embedded else ""]
    progress.print(", ".join(filter(None, parts)), style="dim", markup=False, soft_wrap=True)
