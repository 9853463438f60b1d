"""Writes the references of the environment and the pipeline file from their schemas: `python tools/write_docs.py`.

Tests compare each with what the code would write now.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks in tools/ alone

from tools.field_reference import environment_file, pipeline_file

if __name__ == "__main__":
    for name, document in (("environment-file", environment_file), ("pipeline-file", pipeline_file)):
        (ROOT / "docs" / f"{name}.md").write_text(document(), encoding="utf-8")
        print(f"docs/{name}.md: written")
