"""Draws docs/images/architecture.svg and pipeline.svg from tools/pictures/*.yaml.

    .venv/bin/python tools/draw_architecture.py
    .venv/bin/python tools/draw_architecture.py --icons FOLDER   # where a file names an icon that no picture has yet

A file lists groups, nodes and edges with their places, the resources that each stands for, and what proves each edge.
tests/unit/docs/test_architecture.py holds the lists against the synthesized stacks. It needs neither Graphviz nor
another layout engine: places are in the files, so a VPC looks as in AWS's own diagrams and an edit moves one thing.

The icons are AWS Architecture Icons (https://aws.amazon.com/architecture/icons/), unchanged. AWS says there: "We allow
customers and partners to use these toolkits and assets to create architecture diagrams." They are taken from the
pictures themselves. To add one: `npm pack aws-icons@3.3.0 && tar xzf aws-icons-3.3.0.tgz`, and `--icons package/icons`.
"""

import argparse
import base64
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import yaml

ROOT = Path(__file__).parents[1]
LISTS = ROOT / "tools" / "pictures"
IMAGES = ROOT / "docs" / "images"
LINE = 13.5
"""From one line of a label to the next, in pixels."""

# Both of GitHub's themes and both of the site's show the picture on its own background, so it can be read on each even
# where the page's theme is not the browser's.
STYLE = """
svg { --back: #ffffff; --text: #16191f; --faint: #545b64; --line: #545b64; --zone: #e6f6f7; --box: #f7f8f8 }
@media (prefers-color-scheme: dark) {
svg { --back: #0f1720; --text: #eef1f4; --faint: #b4bdc6; --line: #aab4be; --zone: #123036; --box: #17222d }
.mono { filter: invert(1) hue-rotate(180deg) } }
.back { fill: var(--back) }
text { font-family: "Amazon Ember", "Helvetica Neue", Helvetica, Arial, sans-serif }
text { font-size: 11.5px; fill: var(--text) }
.title { font-size: 15px; font-weight: bold } .head { font-size: 12px; font-weight: bold }
.note, .edge { fill: var(--faint) }
.edge { paint-order: stroke; stroke: var(--back); stroke-width: 4px; stroke-linejoin: round }
.group { fill: none; stroke: var(--line); stroke-width: 1.2 } .dashed { stroke-dasharray: 5 4 }
.region { stroke: #00a4a6 } .vpc { stroke: #8c4fff } .sagemaker { stroke: #01a88d }
.subnet { fill: var(--zone); stroke: none }
.stage { fill: var(--box); stroke-width: 0.8 } .account { stroke: #e7157b }
.flow, .link { fill: none; stroke: var(--line); stroke-width: 1.3; marker-end: url(#arrow) }
.flow { stroke: #0972d3; stroke-width: 2; marker-end: url(#flow) }
.link { stroke-dasharray: 4 3 }
#arrow path { fill: var(--line) } #flow path { fill: #0972d3 }
@media (prefers-color-scheme: dark) { .flow { stroke: #539fe5 } #flow path { fill: #539fe5 } }
"""
_MARKER = (
    '<marker id="{}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9"'
    ' markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 1 10 5 0 9z"/></marker>'
)
KEY = "AWSKeyManagementService"
"""The sign at the icon of a node that a KMS key encrypts, and before the note that says so."""
_ICON = re.compile(
    r'<symbol id="icon-([^"]+)" viewBox="0 0 48 48"><image [^>]*href="data:image/svg\+xml;base64,([^"]+)"'
)
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class Picture:
    """A list of groups, nodes and edges, as its file has it."""

    name: str
    data: dict[str, Any]

    @property
    def places(self) -> dict[str, dict[str, Any]]:
        """Groups and nodes by id."""
        return {one["id"]: one for one in [*self.data["groups"], *self.data["nodes"]]}

    @property
    def icons(self) -> list[str]:
        """Names of the icons that it uses, each once."""
        keys = {KEY} if any("key" in one for one in self.data["nodes"]) else set()
        return sorted(keys | {one["icon"] for one in self.places.values() if "icon" in one})

    def box(self, place: str) -> Box:
        """What a group or a node covers, with a node's label below or beside it."""
        one = self.places[place]
        if "box" in one:
            left, top, width, height = one["box"]
            return left, top, left + width, top + height
        (x, y), half = one["at"], one.get("size", 40) / 2
        beside = one.get("label_at") == "right"
        below = 0 if beside else 4 + LINE * len(lines(one))
        return x - half, y - half, x + half + (110 if beside else 0), y + half + below


def load(name: str) -> Picture:
    """The picture's list."""
    return Picture(name, yaml.safe_load((LISTS / f"{name}.yaml").read_text(encoding="utf-8")))


def names() -> list[str]:
    """The pictures that there are lists of."""
    return sorted(file.stem for file in LISTS.glob("*.yaml"))


def lines(one: dict[str, Any]) -> list[str]:
    """A label's lines."""
    return str(one.get("label", "")).splitlines()


def drawn_icons() -> dict[str, str]:
    """The icons that the pictures have already, base64 by name."""
    found: dict[str, str] = {}
    for name in names():
        if (file := IMAGES / f"{name}.svg").exists():
            found |= dict(_ICON.findall(file.read_text(encoding="utf-8")))
    return found


def icons_of(folder: Path) -> dict[str, str]:
    """The icons of an unpacked icon package, base64 by name."""
    return {file.stem: base64.b64encode(file.read_bytes()).decode() for file in folder.rglob("*.svg")}


def render(picture: Picture, icons: dict[str, str]) -> str:
    """The picture as SVG, with the icons inside.

    Raises:
        KeyError: there is no such icon.
    """
    width, height = picture.data["size"]
    title, about = picture.data["title"], picture.data["about"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' role="img" aria-labelledby="title about">',
        f'<title id="title">{escape(title)}</title><desc id="about">{escape(about)}</desc>',
        f"<!-- tools/draw_architecture.py draws it from tools/pictures/{picture.name}.yaml, with AWS's icons -->",
        f"<style>{STYLE}</style><defs>{_MARKER.format('arrow')}{_MARKER.format('flow')}",
        *(
            f'<symbol id="icon-{name}" viewBox="0 0 48 48"><image width="48" height="48"'
            f' href="data:image/svg+xml;base64,{icons[name]}"/></symbol>'
            for name in picture.icons
        ),
        f'</defs><rect class="back" width="{width}" height="{height}" rx="8"/>',
        *(_group(one) for one in picture.data["groups"]),
        *(_line(one) for one in picture.data["edges"] if "path" in one),
        *(_node(one) for one in picture.data["nodes"]),
        *(
            _text(one["label_at"], lines(one), "edge", one.get("anchor", "middle"))
            for one in picture.data["edges"]
            if "label" in one
        ),
        *(
            _text(one["at"], lines(one), one.get("style", "note"), one.get("anchor", "start"))
            for one in picture.data["notes"]
        ),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _text(at: list[float], label: list[str], style: str, anchor: str = "middle") -> str:
    rows = "".join(
        f'<tspan x="{at[0]:g}" y="{at[1] + number * LINE:g}">{escape(line)}</tspan>'
        for number, line in enumerate(label)
    )
    return f'<text class={quoteattr(style)} text-anchor="{anchor}">{rows}</text>'


def _icon(name: str, x: float, y: float, size: float, *, mono: bool) -> str:
    style = ' class="mono"' if mono else ""
    return f'<use href="#icon-{name}" x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}"{style}/>'


def _group(one: dict[str, Any]) -> str:
    left, top, width, height = one["box"]
    shape = f'<rect class="group {one["style"]}" x="{left}" y="{top}" width="{width}" height="{height}" rx="3"/>'
    icon, inset = "", 8
    if "icon" in one:
        icon, inset = _icon(one["icon"], left, top, 22, mono=False), 28
    return shape + icon + _text([left + inset, top + 16], lines(one), one.get("label_style", "head"), "start")


def _node(one: dict[str, Any]) -> str:
    (x, y), size, label = one["at"], one.get("size", 40), lines(one)
    icon = _icon(one["icon"], x - size / 2, y - size / 2, size, mono=one.get("mono", False)) if "icon" in one else ""
    if "key" in one:
        icon += _icon(KEY, x + size / 2 - 4, y - size / 2 - 6, 16, mono=False)
    if one.get("label_at") == "right":
        return icon + _text([x + size / 2 + 6, y + 4 - LINE * (len(label) - 1) / 2], label, "label", "start")
    return icon + _text([x, y + size / 2 + 14], label, "label")


def _line(one: dict[str, Any]) -> str:
    points = " ".join(f"{x:g},{y:g}" for x, y in one["path"])
    return f'<polyline class="{one.get("style", "link")}" points="{points}"/>'


def main() -> None:
    """Draws every picture."""
    parser = argparse.ArgumentParser(description="Draws docs/images/architecture.svg and pipeline.svg.")
    parser.add_argument(
        "--icons", type=Path, metavar="FOLDER", help="an unpacked icon package, for icons not drawn yet"
    )
    folder: Path | None = parser.parse_args().icons
    icons = drawn_icons() | ({} if folder is None else icons_of(folder))
    for picture in map(load, names()):
        if missing := [name for name in picture.icons if name not in icons]:
            sys.exit(
                f"tools/pictures/{picture.name}.yaml: no picture has the icons {', '.join(missing)} yet: see --icons"
            )
        file = IMAGES / f"{picture.name}.svg"
        file.write_text(render(picture, icons), encoding="utf-8")
        sys.stdout.write(f"{file}: {file.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
