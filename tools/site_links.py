"""A hook of MkDocs: a page may link to files of the repository, which the site does not hold.

On the site such a link becomes its text and the file's path; in the repository it leads to the file.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)#\s]+)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: object) -> str:
    """The page's Markdown, without links that leave docs/. One that leads nowhere stays, for the strict build."""
    folder = Path(config.docs_dir, page.file.src_uri).parent
    root = Path(config.docs_dir).parent

    def told(link: re.Match[str]) -> str:
        text, target = link[1], (folder / link[2]).resolve()
        if not target.exists() or not target.is_relative_to(root):
            return link[0]
        path = target.relative_to(root).as_posix()
        return f"`{path}`" if text.strip("`") in (path, target.name) else f"{text} (`{path}`)"

    return _LINK.sub(told, markdown)
