"""Which stacks have passed which checks, so that a synth checks only what has changed."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aws_cdk as cdk

KEPT = 2000
"""Most verdicts in a folder, five for each version of a stack; those that were not used for longest go first."""


class Verdicts:
    """Verdicts of earlier synths: empty files, each named by a hash of all that the verdict depends on.

    A file is there or not, so none can be torn, and synths at the same time do not disturb each other. A folder that
    cannot be read or written remembers nothing.
    """

    def __init__(self, app: cdk.App, folder: Path) -> None:
        """Reads the names of the files.

        Args:
            app: The app that is synthesized.
            folder: Where the files are.
        """
        self._app, self._folder = app, folder
        self._stacks: dict[str, str] = {}
        try:
            self._known = {file.name for file in folder.iterdir()}
        except OSError:
            self._known = set()

    def new(self, check: Sequence[str], stacks: Iterable[cdk.PolicyValidationStack]) -> list[cdk.PolicyValidationStack]:
        """The stacks that have not passed the check as both are now.

        Args:
            check: Name and version of the check.
            stacks: The stacks, whose templates are written.
        """
        keys = {self._key(check, stack): stack for stack in stacks}
        self._stacks |= {key: stack.stack_construct_path for key, stack in keys.items()}
        return [stack for key, stack in keys.items() if key not in self._known]

    def keep(self, report: Path) -> None:
        """Remembers what this synth's checks looked at and found nothing in that is not acknowledged.

        Args:
            report: The CDK's report of the synth.
        """
        if not self._stacks:
            return
        found = [
            construct["constructPath"]
            for plugin in json.loads(report.read_bytes())["pluginReports"]
            if plugin["pluginName"] != "Construct Annotations"
            for violation in plugin["violations"]
            for construct in violation["violatingConstructs"]
        ]
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for key, stack in self._stacks.items():
                if not any(is_within(path, stack) for path in found):
                    (self._folder / key).touch()
            if len(self._known | self._stacks.keys()) > KEPT:
                oldest_first = sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime)
                for file in oldest_first[:-KEPT]:
                    file.unlink(missing_ok=True)

    def _key(self, check: Sequence[str], stack: cdk.PolicyValidationStack) -> str:
        template = Path(stack.template_path)
        artifacts = json.loads((template.parent / "manifest.json").read_bytes())["artifacts"].values()
        [artifact] = [one for one in artifacts if one.get("properties", {}).get("templateFile") == template.name]
        metadata = json.loads((template.parent / artifact["additionalMetadataFile"]).read_bytes())
        depends_on = [
            *check,
            stack.stack_construct_path,
            stack.account_id,
            stack.region,
            template.read_text(encoding="utf-8"),
            {
                path: _without_traces((one["type"], one.get("data")) for one in found)
                for path, found in metadata.items()
            },
            self._above(stack.stack_construct_path),
        ]
        return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()

    def _above(self, path: str) -> list[list[Any]]:
        """What is acknowledged on the app and the stage, which the metadata of the stack leaves out."""
        construct: Any = self._app
        found = []
        for name in path.split("/"):
            found.append(_without_traces((one.type, one.data) for one in construct.node.metadata))
            construct = construct.node.find_child(name)
        return found


def is_within(path: str, scope: str) -> bool:
    """Whether the construct at `path` is the one at `scope` or in it; a path that is not known might be."""
    return scope in ("", path) or not path or path.startswith(f"{scope}/")


def _without_traces(entries: Iterable[tuple[str, Any]]) -> list[Any]:
    return [entry for entry in entries if entry[0] != "aws:cdk:creationStack"]
