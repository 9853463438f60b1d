"""Where a command talks to: named on standard error, and refused if the file names another account."""

from pathlib import Path
from typing import TYPE_CHECKING

from mistral7b_cli.failure import CommandError
from mistral7b_cli.output import progress

if TYPE_CHECKING:
    import boto3


def announce(
    what: str, region: str | None, account: str | None = None, file: Path | None = None, *, must_know: bool = False
) -> "boto3.Session":
    """Names what is asked and whose credentials ask, and returns a session with these.

    Where STS does not answer, as in a VPC without a way to it, the account is left out, unless the command `must_know`.

    Args:
        what: is asked.
        region: where it is; by default that of the session, and then the account is only that of the credentials.
        account: where it has to be, if `file` says so.
        file: names the account.
        must_know: whether nothing may be asked without an answer of STS.

    Raises:
        CommandError: the credentials are of another account than the file names.
        EndpointError: there are no usable credentials, or the embedded AWS does not answer.
    """
    from mistral7b import endpoint  # noqa: PLC0415 - boto3 takes a moment to load

    embedded = endpoint.is_embedded(endpoint.endpoint_url())
    session, found = endpoint.open_session(), ""
    where = region or session.region_name or "us-east-1"
    try:
        found = endpoint.caller_account(session, where)
    except endpoint.EndpointError as error:
        unusable = isinstance(error, endpoint.CredentialsError | endpoint.ConfigurationError)
        if must_know or unusable or (embedded and isinstance(error, endpoint.UnreachableError)):
            raise
    if found and account and found != account:
        shell = f'eval "$(mistral7b local up --account {account})"'
        fix = shell if embedded else "set AWS_PROFILE to a profile of that account"
        raise CommandError(f"these are credentials of account {found}; {file} says {account}\nfix: {fix}", 2)
    whose = f"{'account' if region else 'credentials of account'} {found}" if found else ""
    line = ", ".join(filter(None, (what, whose, where, "embedded AWS" if embedded else "")))
    progress.print(line, style="dim", markup=False, soft_wrap=True)
    return session
