"""`mistral7b pipeline review` of what the real CDK CLI has deployed."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import BIN, PROJECT, User


@pytest.fixture
def assembly(dev: User, tmp_path: Path) -> Path:
    """A copy of a cloud assembly from which dev is deployed as it is."""
    return Path(shutil.copytree(dev.scratch / "cdk.out", tmp_path / "cdk.out"))


def review(user: User, assembly: Path) -> subprocess.CompletedProcess[str]:
    """Reviews dev."""
    command = [str(BIN / "mistral7b"), "pipeline", "review", "dev", "--assembly", str(assembly), "--json"]
    return subprocess.run(
        command, cwd=PROJECT, env=user.environ, capture_output=True, text=True, check=False, timeout=60
    )


def change(file: Path, **replaced: str) -> None:
    """Replaces texts of a file, each of which has to be there."""
    text = file.read_text(encoding="utf-8")
    for before, after in replaced.items():
        assert before in text
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")


def answer(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a review that succeeded has printed."""
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def endpoint_template(assembly: Path) -> Path:
    """The template of dev's endpoint stack."""
    (file,) = (assembly / "assembly-dev").glob("*endpoint*.template.json")
    return file


def test_a_change_of_the_container_broadens_nothing(dev: User, assembly: Path) -> None:
    change(endpoint_template(assembly), **{'"MAX_INPUT_LENGTH": "8191"': '"MAX_INPUT_LENGTH": "4095"'})
    found = answer(review(dev, assembly))
    assert (found["broadens"], found["changes"]) == (False, [])


def test_one_more_permission_broadens_and_is_shown(dev: User, assembly: Path) -> None:
    change(endpoint_template(assembly), **{'"s3:GetObject"': '"s3:PutObject"'})
    found = answer(review(dev, assembly))
    assert (found["broadens"], {line[0] for line in found["changes"]}) == (True, {"+", "-"})
    assert any("s3:PutObject on arn:aws:s3:::jumpstart-cache-prod-us-east-1" in line for line in found["changes"])


def test_an_account_that_lets_nobody_in_is_an_error(dev: User, assembly: Path) -> None:
    places = {"unknown-account": "444444444444", "${AWS::AccountId}": "444444444444"}
    change(assembly / "assembly-dev" / "manifest.json", **places)
    result = review(dev, assembly)
    assert (result.returncode, list(json.loads(result.stdout))) == (3, ["error"])
    assert "dev could not be compared with what is deployed" in result.stderr
