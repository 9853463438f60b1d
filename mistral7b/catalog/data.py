"""Reads the data files of this folder."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> Any:
    """The parsed content of the data file `name`; shared, so not to be changed."""
    return json.loads(files("mistral7b.catalog").joinpath(name).read_text(encoding="utf-8"))
