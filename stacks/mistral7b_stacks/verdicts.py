"""Which stacks have passed which checks, so that a synth checks only what has changed."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aws_cdk as cdk

KEPT = 2000
"""Most verdicts in a folder. More than that, and only those of the last synth are kept."""


class Verdicts:
    """Verdicts of earlier synths: empty files, each named by a hash of all that the verdict depends on.

    A file is there or not, so none can be torn, and synths at the same time do not disturb each other. A folder that
    cannot be read or written remembers nothing.
    """

    def __init__(self, app: cdk.App, folder: Path) -> None:
        """Reads the verdicts in the folder."""
        self._app, self._folder = app, folder
        self._stacks: dict[str, str] = {}
        try:
            self._known = {file.name for file in folder.iterdir()}
        except OSError:
            self._known = set()

    def new(self, check: Iterable[str], stacks: Iterable[cdk.PolicyValidationStack]) -> list[cdk.PolicyValidationStack]:
        """The stacks that have not passed a check, given as its name, version and sources, as all of it is now."""
        keys = {self._key([*check], stack): stack for stack in stacks}
        self._stacks |= {key: stack.stack_construct_path for key, stack in keys.items()}
        return [stack for key, stack in keys.items() if key not in self._known]

    def keep(self, report: Path) -> None:
        """Remembers the stacks in which this synth's checks, by the CDK's report, found nothing unacknowledged."""
        if not self._stacks:
            return
        found = [
            construct["constructPath"]
            for plugin in json.loads(report.read_bytes())["pluginReports"]
            if plugin["pluginName"] != "Construct Annotations"  # which every synth collects again
            for violation in plugin["violations"]
            for construct in violation["violatingConstructs"]
        ]
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for key, stack in self._stacks.items():
                if not any(is_within(path, stack) for path in found):
                    (self._folder / key).touch()
            if len(self._known | self._stacks.keys()) > KEPT:
                for key in self._known - self._stacks.keys():
                    (self._folder / key).unlink(missing_ok=True)

    def _key(self, check: list[str], stack: cdk.PolicyValidationStack) -> str:
        template, path = Path(stack.template_path), stack.stack_construct_path
        artifacts = json.loads((template.parent / "manifest.json").read_bytes())["artifacts"].values()
        [artifact] = [one for one in artifacts if one.get("properties", {}).get("templateFile") == template.name]
        within = json.loads((template.parent / artifact["additionalMetadataFile"]).read_bytes())
        metadata = {node: [(one["type"], one.get("data")) for one in entries] for node, entries in within.items()}
        above: Any = self._app  # the stack's metadata leaves out what is acknowledged on the app and the stage
        for name in path.split("/"):
            metadata[above.node.path] = [(one.type, one.data) for one in above.node.metadata]
            above = above.node.find_child(name)
        lasting = {
            node: [one for one in found if one[0] != "aws:cdk:creationStack"] for node, found in metadata.items()
        }
        key = [check, path, stack.account_id, stack.region, template.read_text(encoding="utf-8"), lasting]
        return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()


def is_within(path: str, scope: str) -> bool:
    """Whether the construct at `path` is the one at `scope` or in it; a path that is not known might be."""
    return scope in ("", path) or not path or path.startswith(f"{scope}/")
