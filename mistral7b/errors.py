"""What a user can correct."""


class UserError(Exception):
    """A user's mistake: the message says what is wrong and how to correct it. A command ends with `status`."""

    status = 2
