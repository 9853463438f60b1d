"""Accounts that nothing else in the process has used: the embedded AWS keeps what is in them."""

import itertools

_NUMBERS = itertools.count(200_000_000_000)


def fresh_account() -> str:
    """An account's id."""
    return str(next(_NUMBERS))
