"""What a fit comes to, as a file: parameters of the instance, and how the benchmark measured it."""

import json
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.text_file import read_text
from mistral7b.errors import UserError

_MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted model.

    Attributes:
        tokens_per_word: prompt tokens for each word of the benchmark's prompts.
        concurrency_share: users beyond the first that a benchmark of N users has in flight on average, as a share of
            N - 1. 1 where all users are there all the time.
    """

    parameters: PerformanceParameters
    tokens_per_word: float
    concurrency_share: float

    def write(self, path: Path) -> None:
        """Writes the file that `read` reads. Raises OSError if that cannot be done."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Calibration":
        """The calibration in a file that `mistral7b capacity fit --output` wrote. Raises UserError if it is none."""
        text = read_text(path, _MAX_BYTES, _FIX)
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: not JSON: {error}\nfix: {_FIX}") from None
        values = dict(content) if isinstance(content, dict) else {}
        times: Any = values.pop("parameters", None)
        if not isinstance(times, dict):
            raise UserError(f"{path}, parameters: there is no such JSON object\nfix: {_FIX}")
        named = values | {f"parameters.{name}": value for name, value in times.items()}
        for name in sorted(_RANGES.keys() ^ named.keys()):
            raise UserError(f"{path}: {name[:60]} is {'missing' if name in _RANGES else 'unknown'}\nfix: {_FIX}")
        for name, (least, most) in _RANGES.items():
            value = named[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                shown = str(value)[:40]
                raise UserError(f"{path}, {name}: {shown} is not a number from {least:g} to {most:g}\nfix: {_FIX}")
        return cls(parameters=PerformanceParameters(**times), **values)


_FIX = "`mistral7b capacity fit FILE.csv --output` writes such a file"

_RANGES = {f"parameters.{field.name}": (0.0, 1000.0) for field in fields(PerformanceParameters)} | {
    "parameters.decode_step": (1e-9, 1000.0),
    "parameters.prefill": (1e-9, 1000.0),
    "tokens_per_word": (0.1, 100.0),
    "concurrency_share": (0.0, 1.0),
}
"""What a file has to hold, from where to where."""


def published_calibration() -> Calibration:
    """The fit to the two public benchmarks of Mistral 7B on one A10G with TGI 1.1."""
    return Calibration.read(Path(str(files("mistral7b.capacity").joinpath("published_calibration.json"))))
