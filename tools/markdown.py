"""What the generated documents do with text."""

import re

_PAGE = re.compile(r"(?<![\w/(`])docs/([a-z0-9-]+\.md)")


def linked(text: str) -> str:
    """The text, with links in place of the names of pages in docs/."""
    return _PAGE.sub(r"[\1](\1)", text)


def cell(text: str) -> str:
    """The text as a cell of a table."""
    return " ".join(linked(text).replace("|", "\\|").split())


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and MkDocs make it."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
