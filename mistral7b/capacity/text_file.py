"""Small files that a user names."""

from pathlib import Path

from mistral7b.errors import UserError


def read_text(path: Path, most_bytes: int, fix: str) -> str:
    """The text of a file in UTF-8; raises UserError with path, reason and fix if it cannot be read or is too large."""
    try:
        if not path.is_file():  # a device might never end
            raise UserError(f"{path}: there is no such file\nfix: {fix}")
        if (size := path.stat().st_size) > most_bytes:
            raise UserError(f"{path} has {size:,} bytes, more than {most_bytes:,}: is it the right file?\nfix: {fix}")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as failure:
        raise UserError(f"{path}: not UTF-8 ({failure.reason})\nfix: {fix}") from None
