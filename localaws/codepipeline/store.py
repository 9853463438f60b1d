"""The pipelines of every account and region, and what they run with."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from localaws.codepipeline.pipeline import Pipeline, Surroundings
from localaws.codepipeline.surroundings import EmbeddedAws

Pipelines = dict[str, Pipeline]
"""Name -> pipeline."""

_PIPELINES: defaultdict[tuple[str, str], Pipelines] = defaultdict(dict)


def pipelines(account: str, region: str) -> Pipelines:
    """The pipelines of an account and region."""
    return _PIPELINES[account, region]


@cache
def surroundings() -> Surroundings:
    """What pipelines run in."""
    return EmbeddedAws()
