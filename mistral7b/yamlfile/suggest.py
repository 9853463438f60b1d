"""Suggests what a misspelt name was meant to be."""

from collections.abc import Collection
from difflib import get_close_matches


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name most like `name`, whatever their case; None where none is like it.

    Names with the same letters in another order come first: that is the commonest slip. Of numbers, the nearest.
    """
    if name.isdecimal() and all(one.isdecimal() for one in known):
        return min(known, key=lambda one: abs(int(one) - int(name)), default=None)
    letters = name.casefold()
    by_letters = {one.casefold(): one for one in known}
    in_order = sorted(letters)
    swapped = [one for one in by_letters if sorted(one) == in_order]
    likest = get_close_matches(letters, swapped or by_letters, n=1)
    return by_letters[likest[0]] if likest else None


def with_guess(name: str, known: Collection[str], fix: str) -> str:
    """The fix of a wrong name, after the known name that was probably meant."""
    guess = nearest(name, known)
    return f"did you mean {guess}? {fix[0].upper()}{fix[1:]}" if guess else fix
