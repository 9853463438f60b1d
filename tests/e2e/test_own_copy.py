"""The project as its user has it: installed by plain pip, with files of the user's own."""

import ensurepip
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, REGION, succeeded

NOT_COPIED = shutil.ignore_patterns(
    "accepted", ".*", "__pycache__", "node_modules", "cdk.out", "*.egg-info", "cdk.context.json"
)
NO_NETWORK = ("Could not find a version", "Connection", "Temporary failure in name resolution")


@dataclass(frozen=True)
class Copy:
    """A copy of the project's files, without git, and the Python that runs in it."""

    folder: Path
    python: Path = Path(sys.executable)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command in it, as in a shell with the virtual environment activated and without AWS credentials."""
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
        path = f"{self.python.parent}:{self.folder / 'node_modules' / '.bin'}:{os.environ['PATH']}"
        return subprocess.run(
            command,
            cwd=self.folder,
            env=kept | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    @property
    def accepted(self) -> Path:
        """Where accepted templates are."""
        return self.folder / "tests" / "environments" / "accepted"

    def check(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """The tests of environments/."""
        return self.run("python3", "-m", "pytest", "tests/environments", *options)

    def accept(self) -> str:
        """Accepts what has changed; returns what was shown of it."""
        return succeeded(self.check("--accept", "--capture=no")).stdout


def copy(folder: Path) -> Copy:
    """Copies what git would."""
    for name in ("app.py", "cdk.json", "pyproject.toml", "requirements.txt", "package.json", "LICENSE", "README.md"):
        shutil.copy(PROJECT / name, folder)
    for name in (
        "constructs",
        "sagehost",
        "scaling_rules",
        "mistral7b",
        "mistral7b_cli",
        "requirements",
        "stacks",
        "tests/environments",
    ):
        shutil.copytree(PROJECT / name, folder / name, ignore=NOT_COPIED)
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    return Copy(folder)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy whose environments/ was rewritten as docs/promotion.md says, after a pipeline and `dev` were accepted."""
    own = copy(tmp_path_factory.mktemp("own copy"))
    templates = PROJECT / "tests" / "snapshot" / "__snapshots__" / "test_templates"
    own.accepted.mkdir()
    for stack, recorded in (("pipeline", "typical-pipeline"), ("dev-endpoint", "dev-endpoint")):
        [file] = templates.glob(f"*[[]{recorded}[]].json")
        shutil.copy(file, own.accepted / f"{stack}.json")
    write(own.folder / "environments")
    return own


def write(files: Path) -> None:
    """Three accounts, two regions, four environments; base model, existing VPC, own key, caller roles; no pipeline."""
    files.mkdir()
    (files / "common.yaml").write_text("model: base\ninstance: {count: 2}\ncompliance_packs: []\n")
    (files / "dev.yaml").write_text(f'account: "111122223333"\nregion: {REGION}\ncallers: {{role_names: [backend]}}\n')
    (files / "qa.yaml").write_text('account: "111122223333"\nregion: eu-west-1\n')
    (files / "staging.yaml").write_text(
        'account: "444455556666"\nregion: eu-west-1\nnetwork:\n  existing_vpc:\n    vpc_id: vpc-0a1b2c3d4e5f67890\n'
        "    subnet_ids: [subnet-0a1b2c3d4e5f67890, subnet-0a1b2c3d4e5f67891]\n"
        "    availability_zones: [eu-west-1a, eu-west-1b]\n    cidr: 10.20.0.0/16\n"
    )
    key = "arn:aws:kms:us-east-1:777788889999:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    (files / "prod.yaml").write_text(
        f'account: "777788889999"\nregion: {REGION}\nencryption: {{kms_key_arn: "{key}"}}\n'
        "removal: {log_group: retain}\n"
    )


def test_plain_pip_installs_what_a_synth_takes(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = copy(tmp_path_factory.mktemp("plain pip"))
    shutil.copytree(PROJECT / "tests" / "snapshot" / "typical", made.folder / "environments")
    subprocess.run([sys.executable, "-m", "venv", "--symlinks", "--without-pip", str(made.folder / "venv")], check=True)
    plain = Copy(made.folder, made.folder / "venv" / "bin" / "python3")
    [pip] = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")  # what `venv` installs, as it is
    installed = plain.run("python3", f"{pip}/pip", "install", "--no-compile", "--quiet", "-r", "requirements.txt")
    if installed.returncode != 0 and any(sign in installed.stderr for sign in NO_NETWORK):
        pytest.skip("pip reaches no package index")
    succeeded(installed)
    listed = succeeded(plain.run("cdk", "ls"))
    assert "dev/endpoint (mistral-7b-dev-endpoint)" in listed.stdout
    assert "end-of-life" not in listed.stderr


def test_an_edit_fails_the_check_with_its_difference_and_the_command_that_accepts_it(own: Copy) -> None:
    failed = own.check()
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "- stack pipeline\n" in failed.stdout
    assert "+ stack qa-endpoint" in failed.stdout
    assert "ModelDataSource.S3DataSource.S3Uri:\n" in failed.stdout
    assert "To accept this: python3 -m pytest tests/environments --accept" in failed.stdout
    assert "Traceback" not in failed.stdout


def test_an_accepted_edit_passes(own: Copy) -> None:
    assert "+ stack qa-endpoint" in own.accept()
    assert "2 passed" in succeeded(own.check()).stdout


def test_a_mistake_fails_the_check_with_its_file_and_line(own: Copy) -> None:
    (own.folder / "environments" / "dev.yaml").write_text("region: us-esat-1\n")
    failed = own.check()
    assert failed.returncode == 1
    assert "environments/dev.yaml:1: region = 'us-esat-1'" in failed.stdout
    assert "did you mean us-east-1?" in failed.stdout
