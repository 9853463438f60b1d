"""What a user can correct."""


class UserError(Exception):
    """A user's mistake, or what keeps a command from its work: the message says what is wrong and how to correct it.

    A command ends with `status`: 2 for wrong arguments, files or credentials, 1 for what failed on the way.
    """

    status = 2

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status or self.status
