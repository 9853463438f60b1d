"""What a user can correct, and the exit codes of every command: 0 is done."""

FAILED = 1  # it ran, and found something or failed: a check, a request, a file that cannot be written
WRONG_INPUT = 2  # arguments or files are wrong
NO_ACCESS = 3  # no usable credentials, another account's, no connection, no permission, or nothing is deployed
BROADENS = 4  # of `pipeline review --fail` only: the deployment would broaden permissions
INTERRUPTED = 130  # Ctrl-C
BROKEN_PIPE = 141  # the program that reads the output has ended, as `head` does


class UserError(Exception):
    """A user's mistake, or what keeps a command from its work: the message says what is wrong and how to correct it.

    Its last line, `fix: …`, may be missing. `status` is the exit code of the command; `documented`: what is wrong is in
    the JSON document that the command has printed.
    """

    status = WRONG_INPUT

    def __init__(self, message: str, status: int | None = None, *, documented: bool = False) -> None:
        super().__init__(message)
        self.status = status or self.status
        self.documented = documented
