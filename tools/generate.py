"""Writes every file that is made from the code: `make generate`, and `--no-templates` for all but the templates.

Tests compare each file with what the code would write now.
"""

import argparse
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python looks in tools/ alone

from mistral7b import environment, promotion
from sagehost.cloudformation.providers import PROVIDERS
from tools.command_reference import command_reference
from tools.constraints_document import constraints_document
from tools.field_reference import environment_file, pipeline_file

CONSTRUCTS_DATA = ROOT / "constructs" / "sagemaker_tgi" / "data"
"""Copies of the catalogue's: the constructs import nothing of ours, and the library not the CDK."""


def _with_resource_types() -> str:
    """The README of sagehost with the resource types of its CloudFormation, by service."""
    by_service: dict[str, list[str]] = {}
    for _, service, kind in sorted(one.split("::") for one in PROVIDERS):
        by_service.setdefault(service, []).append(kind)
    lines = [f"{service}: {', '.join(kinds)}" for service, kinds in by_service.items()]
    types = " ·\n".join(textwrap.fill(line, 120) for line in lines)
    readme = (ROOT / "sagehost" / "README.md").read_text(encoding="utf-8")
    return re.sub(r"(?s)(?<=<!-- resource types -->\n).*(?=\n<!-- end -->)", types, readme)


def _schema(schema: Callable[[], object]) -> Callable[[], str]:
    return lambda: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _catalogue(name: str) -> Callable[[], str]:
    return lambda: (ROOT / "mistral7b" / "catalog" / name).read_text(encoding="utf-8")


FILES: dict[str, Callable[[], str]] = {
    "schemas/environment.schema.json": _schema(environment.json_schema),
    "schemas/pipeline.schema.json": _schema(promotion.json_schema),
    "docs/environment-file.md": environment_file,
    "docs/pipeline-file.md": pipeline_file,
    "docs/commands.md": command_reference,
    "docs/constraints.md": constraints_document,
    "sagehost/README.md": _with_resource_types,
    **{str(file.relative_to(ROOT)): _catalogue(file.name) for file in sorted(CONSTRUCTS_DATA.glob("*.json"))},
}
"""What makes the text of each file, by its path."""
TEMPLATES = (["tests/snapshot", "--snapshot-update"], ["tests/environments", "--accept"])
"""Arguments of pytest that record the templates of the tests' environments, and accept those of environments/."""


def main() -> int:
    """Writes the files that are not up to date; the exit status is that of the first failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-templates", action="store_true", help="Write no CloudFormation templates.")
    with_templates = not parser.parse_args().no_templates
    for name, text in FILES.items():
        file = ROOT / name
        if file.read_text(encoding="utf-8") != text():
            file.write_text(text(), encoding="utf-8")
            print(f"{name}: written")
    for arguments in TEMPLATES if with_templates else ():
        status = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
