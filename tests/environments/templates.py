"""Templates: what was accepted, and how those of now differ from it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ACCEPTED = Path(__file__).parent / "accepted"
"""One file a stack: its template when it was last accepted."""

Template = dict[str, Any]
_WIDTH = 100


def accepted() -> dict[str, Template]:
    """The accepted templates, by stack."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(ACCEPTED.glob("*.json"))}


def accept(templates: dict[str, Template]) -> None:
    """Makes these templates, and no others, the accepted ones."""
    ACCEPTED.mkdir(exist_ok=True)
    for file in ACCEPTED.glob("*.json"):
        if file.stem not in templates:
            file.unlink()
    for stack, template in templates.items():
        text = json.dumps(template, indent=1, sort_keys=True, ensure_ascii=False)
        (ACCEPTED / f"{stack}.json").write_text(text + "\n", encoding="utf-8")


def differences(before: dict[str, Template], after: dict[str, Template]) -> list[str]:
    """What changed, stack by stack, one line for each value."""
    lines = [f"- stack {stack}" for stack in before.keys() - after.keys()]
    lines += [f"+ stack {stack}: {len(after[stack]['Resources'])} resources" for stack in after.keys() - before.keys()]
    lines.sort()
    for stack in sorted(before.keys() & after.keys()):
        changed = list(_changed_resources(before[stack], after[stack]))
        lines += [f"~ stack {stack}", *(f"    {line}" for line in changed)] if changed else []
    return lines


def _changed_resources(before: Template, after: Template) -> Iterator[str]:
    old, new = before.get("Resources", {}), after.get("Resources", {})
    for name in sorted({**old, **new}):
        if name not in new:
            yield f"- {old[name]['Type']} {name}"
        elif name not in old:
            yield f"+ {new[name]['Type']} {name}"
        elif changed := list(_changed_values(old[name], new[name], "")):
            yield f"~ {new[name]['Type']} {name}"
            yield from (f"    {line}" for line in changed)
    rest = [{key: value for key, value in one.items() if key != "Resources"} for one in (before, after)]
    yield from _changed_values(rest[0], rest[1], "")


def _changed_values(before: Any, after: Any, path: str) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        keys: list[Any] = sorted({**before, **after})
        pairs = [(before.get(key), after.get(key)) for key in keys]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        keys, pairs = [*range(len(before))], list(zip(before, after, strict=True))
    else:
        path, old, new = path.removeprefix("Properties."), _shown(before), _shown(after)
        both = f"{path}: {old} -> {new}"
        yield from [both] if len(both) <= _WIDTH else [f"{path}:", f"    - {old}", f"    + {new}"]
        return
    for key, (one, other) in zip(keys, pairs, strict=True):
        yield from _changed_values(one, other, f"{path}.{key}" if path else str(key))


def _shown(value: Any) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)
