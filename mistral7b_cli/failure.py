"""Failures that a command shows as a message."""

from mistral7b.errors import UserError


class CommandError(UserError):
    """What went wrong, in words for the user, and the exit status: 2 for a wrong call, 1 for anything else."""

    status = 1
