"""`mistral7b smoke` on what `cdk deploy` made: it passes, and fails where the file has changed since."""

import json

from tests.e2e.conftest import User, succeeded


def test_smoke_passes_on_what_was_deployed_and_fails_on_what_was_not(dev: User) -> None:
    assert "14 of 14 checks passed" in succeeded(dev.mistral7b("smoke", "dev")).stdout
    file = dev.files / "dev.yaml"
    deployed = file.read_text(encoding="utf-8")
    try:
        file.write_text(deployed + "tgi: {MAX_INPUT_LENGTH: 4000, MAX_STOP_SEQUENCES: 6}\n", encoding="utf-8")
        changed = dev.mistral7b("smoke", "dev", "--json")
    finally:
        file.write_text(deployed, encoding="utf-8")
    assert changed.returncode == 1, changed.stderr
    failed = {check["name"]: check["got"] for check in json.loads(changed.stdout)["checks"] if not check["passed"]}
    assert (failed.pop("MAX_INPUT_LENGTH"), failed.pop("MAX_STOP_SEQUENCES")) == ("8191", "4")
    assert list(failed) == ["prompt too long"]
