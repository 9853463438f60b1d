"""What a fit comes to, as a file: parameters of the instance, and how the benchmark measured it."""

import json
import math
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.errors import UserError

_MAX_BYTES = 100_000


class CalibrationError(UserError, ValueError):
    """The file holds no calibration. The message names file, field, value and fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted model.

    Attributes:
        parameters: times of the instance.
        tokens_per_word: prompt tokens for each word of the benchmark's prompts.
        concurrency_share: users beyond the first that a benchmark of N users has in flight on average, as a share of
            N - 1. 1 where all users are there all the time.
    """

    parameters: PerformanceParameters
    tokens_per_word: float
    concurrency_share: float

    def write(self, path: Path) -> None:
        """Writes the file that `read` reads. Raises CalibrationError if that cannot be done."""
        try:
            path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise CalibrationError(f"{path}: cannot be written: {error.strerror}") from None

    @classmethod
    def read(cls, path: Path) -> "Calibration":
        """The calibration in a file that `mistral7b capacity fit --output` wrote.

        Raises:
            CalibrationError: there is none in it.
        """
        try:
            if not path.is_file():  # a device might never end
                raise CalibrationError(f"{path}: there is no such file; {_FIX}")
            if path.stat().st_size > _MAX_BYTES:
                raise CalibrationError(f"{path} has more than {_MAX_BYTES:,} bytes; is it the right file?")
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CalibrationError(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            if isinstance(error, CalibrationError):
                raise
            raise CalibrationError(f"{path}: no JSON: {error}; {_FIX}") from None
        return cls._parse(content, str(path))

    @classmethod
    def _parse(cls, content: Any, path: str) -> "Calibration":
        names = {field.name for field in fields(cls)}
        own = _object(content, names, path, "")
        times = _object(
            own.pop("parameters"), {field.name for field in fields(PerformanceParameters)}, path, "parameters."
        )
        for field, value in times.items():
            _number(value, 0, 1000, path, f"parameters.{field}")
        if times["decode_step"] <= 0:
            raise CalibrationError(f"{path}, parameters.decode_step: 0 seconds a decode step; {_FIX}")
        _number(own["tokens_per_word"], 0.1, 100, path, "tokens_per_word")
        _number(own["concurrency_share"], 0, 1, path, "concurrency_share")
        return cls(parameters=PerformanceParameters(**times), **own)


_FIX = "`mistral7b capacity fit FILE.csv --output` writes such a file"


def published_calibration() -> Calibration:
    """The fit to the published benchmark: Mistral 7B on one A10G with TGI 1.1."""
    text = files("mistral7b.capacity").joinpath("published_calibration.json").read_text(encoding="utf-8")
    return Calibration._parse(json.loads(text), "published_calibration.json")


def _object(value: Any, names: set[str], path: str, prefix: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CalibrationError(f"{path}, {prefix.rstrip('.') or 'top level'}: no JSON object; {_FIX}")
    for name in sorted(names ^ value.keys()):
        what = "is missing" if name in names else "is unknown"
        raise CalibrationError(f"{path}: {prefix}{name[:40]} {what}; {_FIX}")
    return dict(value)


def _number(value: Any, least: float, most: float, path: str, field: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CalibrationError(f"{path}, {field}: {str(value)[:40]} is no number; {_FIX}")
    if not least <= value <= most:
        raise CalibrationError(f"{path}, {field}: {value} is not between {least} and {most}; {_FIX}")
