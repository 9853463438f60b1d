"""Variables in the configuration of actions: `#{namespace.key}`.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

OWN_NAMESPACE = "codepipeline"
"""Namespace of `#{codepipeline.PipelineExecutionId}`."""

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")

Namespaces = Mapping[str, Mapping[str, str]]
"""Namespace -> key -> value."""


class Unresolved(Exception):
    """An action refers to a variable that no action has provided; the text says which."""


def references(values: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The namespace and key of every variable in these texts."""
    for value in values:
        for match in _REFERENCE.finditer(value):
            yield match[1], match[2]


def resolve(configuration: Mapping[str, str], known: Namespaces) -> dict[str, str]:
    """The configuration with the values of its variables.

    Raises:
        Unresolved: one has no value.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return known[match[1]][match[2]]
        except KeyError:
            raise Unresolved(f"An action configuration references a variable that does not exist: {match[0]}") from None

    return {key: _REFERENCE.sub(value, text) for key, text in configuration.items()}
