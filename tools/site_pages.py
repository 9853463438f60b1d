"""A hook of MkDocs: what a page of docs/ needs on the site, and not in the repository.

- `[scaling.md](scaling.md)` shows the title of the page.
- A link to a file outside docs/, which the site does not hold, becomes its text and the file's path.
- A bar in code in a table has a backslash for GitHub, which MkDocs would show.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s:]+)((?:#[^)\s]*)?)\)")
_TITLE = re.compile(r"(?m)^# (.+)$")
_ROW, _CODE = re.compile(r"(?m)^\|.*$"), re.compile(r"`[^`\n]+`")


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: object) -> str:
    """The page's Markdown for the site. A link that leads nowhere stays, for the strict build."""
    folder, docs = Path(config.docs_dir, page.file.src_uri).parent, Path(config.docs_dir)

    def shown(link: re.Match[str]) -> str:
        text, target = link[1].strip("`"), (folder / link[2]).resolve()
        if not target.exists() or not target.is_relative_to(docs.parent):
            return link[0]
        path = target.relative_to(docs.parent).as_posix()
        if not target.is_relative_to(docs):
            return f"`{path}`" if text in (path, target.name) else f"{link[1]} (`{path}`)"
        title = _TITLE.search(target.read_text(encoding="utf-8")) if text in (path, link[2]) else None
        return f"[{title[1]}]({link[2]}{link[3]})" if title else link[0]

    return _ROW.sub(lambda row: _CODE.sub(_unescaped, row[0]), _LINK.sub(shown, markdown))


def _unescaped(code: re.Match[str]) -> str:
    return code[0].replace("\\|", "|")
