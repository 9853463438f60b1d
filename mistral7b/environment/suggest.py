"""Suggests what a misspelt name was meant to be."""

from collections.abc import Iterable
from difflib import SequenceMatcher

# Below this likeness two names have nothing to do with each other (the cutoff of difflib.get_close_matches).
_CUTOFF = 0.6


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, whatever their case; None where none is like it."""
    likeness, best = max(((_likeness(name, k), k) for k in known), default=(0.0, ""))
    return best if likeness >= _CUTOFF else None


def _likeness(a: str, b: str) -> float:
    """0 to 1 by common runs of letters; 1 more where only the letters' order differs, the commonest slip."""
    a, b = a.casefold(), b.casefold()
    return SequenceMatcher(None, a, b).ratio() + (sorted(a) == sorted(b))
