"""Records `mistral7b demo` for docs/images: runs it, and writes what it prints as an animated SVG.

    .venv/bin/python tools/record_demo.py docs/images/demo.svg

Waits are shortened. Seconds and counts are left out, as they change. Of the example prompts the first is shown.
The last screen is what a viewer sees that does not animate, or whose reader prefers reduced motion.
tests/e2e/test_demo.py compares the recorded steps with those of the demo that it runs.
"""

import re
import subprocess
import sys
import time
from html import escape, unescape
from itertools import pairwise
from pathlib import Path

from mistral7b.process import mistral7b_command

ROOT = Path(__file__).parents[1]
WIDTH, ROWS, ROW, LEFT, TOP = 838, 24, 18, 18, 62
COLUMNS = 100
BEGIN = -1.8
"""Seconds by which the loop begins later, so that its first frame is not empty."""
FASTER, LONGEST, BETWEEN, HOLD, WHOLE = 2.5, 2.0, 0.16, 5.0, 28.0
"""Waits are so many times shorter and so long at most, lines are so far apart, the last screen stays,
and the whole lasts so long at most, in seconds."""

Line = tuple[float, str]
"""Seconds since the demo began, and what it printed then."""

STYLE = """
rect { fill: #0d1117 } .bar { fill: #21262d } text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas,
"DejaVu Sans Mono", monospace; fill: #c9d1d9; white-space: pre } .step { fill: #ffffff; font-weight: bold }
.command { fill: #79c0ff } .done { fill: #56d364 } .name { fill: #8b949e; font-size: 12px }
"""


def run() -> list[Line]:
    """Runs the demo.

    Raises:
        CalledProcessError: it failed.
    """
    command, begin, lines = [*mistral7b_command(), "demo"], time.monotonic(), []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            sys.stdout.write(line)
            lines.append((time.monotonic() - begin, line.rstrip()))
    if demo.returncode:
        raise subprocess.CalledProcessError(demo.returncode, command)
    return lines


def edited(lines: list[Line]) -> list[Line]:
    """What is shown: up to the table of seconds, the first example prompt, no line of progress."""
    shown: list[Line] = [(0.0, "$ mistral7b demo")]
    examples = 0
    for at, line in lines:
        if line.startswith("step  "):
            break
        if line.startswith("["):
            examples = 0
            shown += [(at, "")] if shown[-1][1] else []
        elif re.fullmatch(r" +[a-z_]+ \((en|zh)\)", line):
            examples += 1
            if examples == 2:
                shown += [(at, "    …"), (at, "")]
        kept = line.startswith(("[", "    done in "))
        if (examples > 1 and not kept) or re.match(r" +… \d+ s:", line):
            continue
        text = re.sub(r"done in [\d.]+ s", "done", line)
        text = re.sub(r" in [\d.]+ s, ended", ", ended", text)
        text = re.sub(r"the same \d+ resources", "the same resources", text)
        shown.append((at, text if len(text) <= COLUMNS else f"{text[: COLUMNS - 1]}…"))
    while not shown[-1][1]:
        shown.pop()
    return shown


def times(lines: list[Line]) -> list[float]:
    """When each line appears, with shorter waits."""
    found = [0.6]
    for (before, _), (at, _) in pairwise(lines):
        found.append(found[-1] + max(BETWEEN, min(LONGEST, (at - before) / FASTER)))
    slower = max(1.0, found[-1] / (WHOLE - HOLD))
    return [at / slower for at in found]


def steps(svg: str) -> list[str]:
    """Titles of the steps that a recording shows."""
    return [unescape(title) for title in re.findall(r">\[\d+\] ([^<]+)<", svg)]


def animation(lines: list[Line]) -> str:
    """The recording as SVG."""
    appear, height = times(lines), TOP + ROWS * ROW + 12
    whole = appear[-1] + HOLD
    cover, scroll = ["0% { transform: translateY(0px) }"], ["0% { transform: translateY(0px) }"]
    for number, at in enumerate(appear, 1):
        percent = f"{100 * at / whole:.2f}%"
        cover.append(f"{percent} {{ transform: translateY({number * ROW}px) }}")
        if number > ROWS:
            scroll.append(f"{percent} {{ transform: translateY({(ROWS - number) * ROW}px) }}")
    end = max(0, len(lines) - ROWS) * ROW
    texts = [
        f'<text class="{_style(line)}" x="{LEFT}" y="{TOP + 13 + number * ROW}">{escape(line, quote=False)}</text>'
        for number, (_, line) in enumerate(lines)
        if line
    ]
    dots = "".join(f'<circle cx="{LEFT + 4 + 20 * n}" cy="18" r="6" fill="#484f58"/>' for n in range(3))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            ' role="img" aria-labelledby="title">',
            '<title id="title">mistral7b demo: deploy, invoke, update and remove on an embedded AWS</title>',
            f"<style>{STYLE}"
            f".scroll {{ transform: translateY({-end}px);"
            f" animation: scroll {whole:.1f}s step-end {BEGIN:.1f}s infinite }}\n"
            f".cover {{ transform: translateY({len(lines) * ROW}px);"
            f" animation: cover {whole:.1f}s step-end {BEGIN:.1f}s infinite }}\n"
            f"@keyframes scroll {{ {' '.join(scroll)} }}\n@keyframes cover {{ {' '.join(cover)} }}\n"
            "@media (prefers-reduced-motion: reduce) { .scroll, .cover { animation: none } }</style>",
            f'<clipPath id="screen"><rect x="0" y="{TOP - 1}" width="{WIDTH}" height="{ROWS * ROW + 6}"/></clipPath>',
            f'<rect width="{WIDTH}" height="{height}" rx="8"/>',
            f'<path class="bar" d="M0 36V8a8 8 0 0 1 8-8h{WIDTH - 16}a8 8 0 0 1 8 8v28z"/>{dots}',
            f'<text class="name" x="{WIDTH / 2}" y="22" text-anchor="middle">a run on a laptop, waits shortened</text>',
            '<g clip-path="url(#screen)"><g class="scroll">',
            *texts,
            f'<rect class="cover" x="0" y="{TOP - 2}" width="{WIDTH}" height="{(len(lines) + ROWS) * ROW}"/>',
            "</g></g></svg>",
        ]
    )


def _style(line: str) -> str:
    if line.startswith("["):
        return "step"
    if line.lstrip().startswith("$ "):
        return "command"
    return "done" if line.startswith("    done") else "text"


def main(file: Path) -> None:
    """Runs the demo and writes the recording."""
    lines = edited(run())
    file.write_text(f"{animation(lines)}\n", encoding="utf-8")
    sys.stdout.write(f"{file}: {len(lines)} lines, {times(lines)[-1] + HOLD:.0f} s, {file.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
