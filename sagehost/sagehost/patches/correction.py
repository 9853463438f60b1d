"""The two kinds of correction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def replace(owner: Any, name: str, made_of: Callable[[Any], Any]) -> None:
    """Put `made_of(original)` in the place of a function or method of moto.

    Raises:
        AttributeError: moto does not have it any more.
    """
    setattr(owner, name, made_of(getattr(owner, name)))


def add(owner: Any, name: str, method: Callable[..., Any]) -> None:
    """Give a class of moto an operation that it lacks.

    Raises:
        AttributeError: moto has got the operation itself, so the correction has to go.
    """
    if hasattr(owner, name):
        raise AttributeError(f"moto's {owner.__name__} has {name} now")
    setattr(owner, name, method)
