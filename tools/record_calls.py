"""Writes the calls that templates and commands make: `python tools/record_calls.py [tests…]`.

They are recorded in every process that the tests start, in front of the embedded AWS's services, as those of
tests/unit/sagehost/validation/calls.json; one for each combination of members. Tests that fail are named by pytest.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "tests" / "unit" / "sagehost" / "validation" / "calls.json"
TESTS = ("tests/e2e", "tests/unit/operate", "tests/unit/sagehost/cloudformation")
FOLDER = "RECORDED_CALLS"
_LONGEST = 400
_GIVEN_BY_COMMANDS = ("TemplateBody", "Body")


class Recorder:
    """Finds sagehost.validation as any finder does, and records what passes it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The module's own specification, with a loader that also records."""
        spec = PathFinder.find_spec(name, path, target) if name == "sagehost.validation" else None
        loader: Any = spec.loader if spec else None
        if loader:
            load = loader.exec_module

            def exec_module(module: Any) -> None:
                load(module)
                _wrap(module)

            loader.exec_module = exec_module
        return spec


def _wrap(module: Any) -> None:
    passed, check = set[str](), module.check

    def recording(asked: Any) -> None:
        check(asked)
        key = f"{asked.service}.{asked.operation}.{_members(asked.given)}"
        if key not in passed:
            passed.add(key)
            with (Path(os.environ[FOLDER]) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json_line([asked.service, asked.operation, plain(asked.given)]))

    module.check = recording


def json_line(value: Any) -> str:
    """One line of JSON."""
    import json  # noqa: PLC0415 - no process that is not recorded should load more than it does

    return json.dumps(value, ensure_ascii=False) + "\n"


def plain(value: Any, name: str = "") -> Any:
    """A parameter as JSON: bytes and times as text, long ones cut."""
    if isinstance(value, Mapping):
        return {key: plain(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value[:3]]
    if isinstance(value, bytes):
        return value.decode("latin-1")[:40]
    if isinstance(value, str):
        return "{}" if name in _GIVEN_BY_COMMANDS else value if len(value) <= _LONGEST else value[:40]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _members(value: Any) -> Any:
    if isinstance(value, Mapping):
        return sorted((key, str(_members(one))) for key, one in value.items())
    return [_members(one) for one in value[:1]] if isinstance(value, list) else type(value).__name__


def main(tests: list[str]) -> int:
    """Run the tests, and write what they recorded."""
    with tempfile.TemporaryDirectory() as folder:
        start = f"import sys; sys.path.append({str(ROOT)!r}); from tools import record_calls; "
        (Path(folder) / "sitecustomize.py").write_text(start + "sys.meta_path.insert(0, record_calls.Recorder)\n")
        paths = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n2", *(tests or TESTS)]
        environ = os.environ | {"PYTHONPATH": paths, FOLDER: folder}
        failed = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
        import json  # noqa: PLC0415 - as above

        lines = [line for file in Path(folder).glob("*.jsonl") for line in file.read_text().splitlines()]
        found = {f"{one[0]}.{one[1]}.{_members(one[2])}": one for one in map(json.loads, lines)}
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("[\n" + ",\n".join(json_line(found[key]).strip() for key in sorted(found)) + "\n]\n")
    print(f"{FILE}: {len(found)} calls")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
