"""Writes the documents that are made from schemas and docstrings: `python tools/write_docs.py`.

Tests compare each with what the code would write now.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks in tools/ alone

from tools.constraints_document import constraints_document
from tools.field_reference import environment_file, pipeline_file

DOCUMENTS = {"constraints": constraints_document, "environment-file": environment_file, "pipeline-file": pipeline_file}

if __name__ == "__main__":
    for name, document in DOCUMENTS.items():
        (ROOT / "docs" / f"{name}.md").write_text(document(), encoding="utf-8")
        print(f"docs/{name}.md: written")
