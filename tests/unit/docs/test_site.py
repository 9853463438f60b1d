"""The documentation site: `mkdocs build --strict` passes, and a browser opens what it writes without a server."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mkdocs.config import load_config
from mkdocs.structure.files import File
from mkdocs.structure.pages import Page

from tools.site_pages import on_page_markdown

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.xdist_group("site")  # which is built once


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; a warning, such as a link that leads nowhere or a page outside the navigation, fails the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    run = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return folder


class _Tags(HTMLParser):
    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def _loaded(page: Path) -> Iterator[str]:
    """What a browser loads with the page."""
    for tag, attributes in _Tags(page).found:
        if tag in ("script", "img", "iframe", "source") and "src" in attributes:
            yield attributes["src"]
        if tag == "link" and attributes.get("rel") in ("stylesheet", "icon", "preload", "preconnect", "modulepreload"):
            yield attributes["href"]


def test_every_page_of_docs_is_on_the_site(site: Path) -> None:
    pages = {file.stem for file in (ROOT / "docs").glob("*.md")}
    assert pages - {file.stem for file in site.glob("*.html")} == set()


def test_a_page_loads_files_of_the_site_only(site: Path) -> None:
    missing = [
        (page.name, loaded)
        for page in site.glob("*.html")
        for loaded in _loaded(page)
        if page.name != "404.html" and not (page.parent / loaded.split("?")[0]).is_file()
    ]
    assert missing == []


def test_style_sheets_load_nothing_from_the_internet(site: Path) -> None:
    sheets = [*site.rglob("*.css")]
    assert sheets
    assert [sheet.name for sheet in sheets if "url(http" in sheet.read_text(encoding="utf-8")] == []


def test_search_works_without_a_server(site: Path) -> None:
    assert (site / "search" / "search_index.js").read_text(encoding="utf-8").startswith("var __index = ")
    assert "assets/iframe-worker.js" in _loaded(site / "index.html")  # browsers refuse a worker from a file


def test_search_finds_a_field_a_command_and_a_construct(site: Path) -> None:
    index = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert {word for word in ("climb_minutes", "bootstrap-policy", "PrivateTgiEndpoint") if word not in index} == set()


def test_the_palette_follows_the_system_and_has_a_switch(site: Path) -> None:
    palettes = [attributes for _, attributes in _Tags(site / "index.html").found if "data-md-color-media" in attributes]
    assert [one["data-md-color-media"] for one in palettes] == [
        "(prefers-color-scheme)",
        "(prefers-color-scheme: light)",
        "(prefers-color-scheme: dark)",
    ]
    assert all(one["aria-label"] for one in palettes)


def test_the_reference_has_every_public_construct(site: Path) -> None:
    package = ast.parse((ROOT / "constructs" / "sagemaker_tgi" / "__init__.py").read_text(encoding="utf-8"))
    public = {name.asname for node in package.body if isinstance(node, ast.ImportFrom) for name in node.names}
    anchors = {attributes.get("id", "") for _, attributes in _Tags(site / "constructs.html").found}
    assert {name for name in public if f"sagemaker_tgi.{name}" not in anchors} == set()


def test_the_reference_of_a_construct_has_its_props_and_methods(site: Path) -> None:
    text = (site / "constructs.html").read_text(encoding="utf-8")
    for expected in ("container_startup_health_check_timeout", "grant_invoke", "metric_model_latency"):
        assert expected in text


@pytest.fixture
def shown(tmp_path: Path) -> Callable[[str], str]:
    """The Markdown that the site shows of a page's, in a repository with another page and an environment file."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "scaling.md").write_text("# How to scale\n")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text("region: us-east-1\n")
    config = load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(tmp_path / "docs"), hooks=[], plugins=[])
    page = Page(None, File("page.md", config.docs_dir, config.site_dir, use_directory_urls=False), config)
    return lambda markdown: on_page_markdown(markdown, page=page, config=config)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[dev.yaml](../environments/dev.yaml)", "`environments/dev.yaml`"),
        ("[`environments/dev.yaml`](../environments/dev.yaml)", "`environments/dev.yaml`"),
        ("[the file of dev](../environments/dev.yaml#L1)", "the file of dev (`environments/dev.yaml`)"),
        ("[nowhere](../environments/none.yaml)", "[nowhere](../environments/none.yaml)"),
        ("[above](../../other)", "[above](../../other)"),
        ("[https](https://example.com/dev.yaml)", "[https](https://example.com/dev.yaml)"),
        ("![a picture](../environments/dev.yaml)", "![a picture](../environments/dev.yaml)"),
    ],
)
def test_a_link_to_a_file_of_the_repository_becomes_its_path(
    markdown: str, expected: str, shown: Callable[[str], str]
) -> None:
    assert shown(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[scaling.md](scaling.md)", "[How to scale](scaling.md)"),
        ("[docs/scaling.md](scaling.md#a-burst)", "[How to scale](scaling.md#a-burst)"),
        ("[by the hour](scaling.md#by-the-hour)", "[by the hour](scaling.md#by-the-hour)"),
        ("[missing.md](missing.md)", "[missing.md](missing.md)"),
    ],
)
def test_a_link_that_shows_a_pages_file_shows_its_title(
    markdown: str, expected: str, shown: Callable[[str], str]
) -> None:
    assert shown(markdown) == expected


def test_a_bar_in_code_in_a_table_has_no_backslash(site: Path) -> None:
    assert "<code>--streaming off|on|both</code>" in (site / "commands.html").read_text(encoding="utf-8")


def test_a_backslash_outside_a_table_stays(shown: Callable[[str], str]) -> None:
    assert shown("```\na \\| b\n```") == "```\na \\| b\n```"
