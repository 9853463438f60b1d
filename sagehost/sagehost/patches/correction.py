"""The two kinds of correction, as decorators: they take effect when the module with them is imported."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def replaces(owner: Any, name: str) -> Callable[[Function], Function]:
    """The decorated function, called with moto's own as its first argument, takes the place of a function of moto.

    Raises:
        AttributeError: moto does not have it any more.
    """
    original, declared = getattr(owner, name), inspect.getattr_static(owner, name)

    def decorate(function: Function) -> Function:
        @functools.wraps(original)
        def corrected(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, staticmethod(corrected) if isinstance(declared, staticmethod) else corrected)
        return function

    return decorate


def adds(owner: Any, *names: str) -> Callable[[Function], Function]:
    """Give a class of moto operations that it lacks, by default one under the name of the decorated function.

    Raises:
        AttributeError: moto has got the operation itself, so the correction has to go.
    """

    def decorate(function: Function) -> Function:
        for name in names or [function.__name__]:
            if hasattr(owner, name):
                raise AttributeError(f"moto's {owner.__name__} has {name} now")
            setattr(owner, name, function)
        return function

    return decorate
