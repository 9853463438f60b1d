"""Suggests what a misspelt name was meant to be."""

from collections.abc import Iterable
from difflib import SequenceMatcher

# Below this likeness two names have nothing to do with each other (the cutoff of difflib.get_close_matches).
_CUTOFF = 0.6


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, whatever their case; None where none is like it."""
    letters = name.casefold()
    matcher = SequenceMatcher(None, b=letters)  # what is compared often is b: difflib indexes it once
    likeness, best = max(((_likeness(matcher, letters, k.casefold()), k) for k in known), default=(0.0, ""))
    return best if likeness >= _CUTOFF else None


def with_guess(name: str, known: Iterable[str], fix: str) -> str:
    """The fix of a wrong name, after the known name that was probably meant."""
    guess = nearest(name, known)
    return f"did you mean {guess}? {fix[0].upper()}{fix[1:]}" if guess else fix


def _likeness(matcher: "SequenceMatcher[str]", letters: str, known: str) -> float:
    """0 to 1 by common runs of letters; 1 more where only the letters' order differs, the commonest slip.

    0 where an upper bound is below the cutoff: a name of 60,000 letters costs nothing.
    """
    matcher.set_seq1(known)
    if matcher.real_quick_ratio() < _CUTOFF or matcher.quick_ratio() < _CUTOFF:
        return 0.0
    return matcher.ratio() + (sorted(known) == sorted(letters))
