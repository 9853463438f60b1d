"""`mistral7b pipeline rehearse`: commits through the real pipeline, from bare accounts to production.

The accounts are bootstrapped with a qualifier of their own.

One rehearsal at a terminal promotes a commit everywhere, then a second one, which is approved in dev and fails its gate
there. Its server is kept for the tests to look at.
"""

import json
import os
import pty
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mistral7b_cli.rehearsal.cloud import Cloud
from sagehost.lifecycle import down, status
from tests.e2e.conftest import BIN, PROJECT, REGION, TOOLS_ACCOUNT, UNVALIDATED_APP
from tests.e2e.test_demo import await_line, interrupted, processes_with
from tests.variants import context

ACCOUNTS = {"dev": "222222222222", "prod": TOOLS_ACCOUNT}
BEFORE, AFTER = "5", "6"
"""MAX_CONCURRENT_REQUESTS of the first commit and of the second, by which the endpoints tell what they run."""

GATE = "grep --quiet 'MAX_CONCURRENT_REQUESTS: 5' environments/common.yaml"
PIPELINE = {
    "account": TOOLS_ACCOUNT,
    "region": REGION,
    "source": {"repository": "team/mistral"},
    "build": {
        # what this project's own set-up has made, with its packages
        "setup": f"ln -s '{PROJECT}/.venv' .venv; ln -s '{PROJECT}/node_modules' node_modules",
        "test": "test -f app.py",
    },
    "environments": [{"name": "dev", "approval": True, "gates": [GATE]}, {"name": "prod"}],
    "compliance_packs": [],
}


def git(folder: Path, *arguments: str) -> str:
    """What git answers."""
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    ended = subprocess.run(["git", *author, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return ended.stdout.strip()


def commit(folder: Path, limit: str) -> str:
    """Commits everything, with this limit in what all environments share."""
    common = {"region": REGION, "network": {"runtime_endpoint": False}, "compliance_packs": []}
    text = yaml.safe_dump(common) + f"tgi:\n  MAX_CONCURRENT_REQUESTS: {limit}\n"
    (folder / "environments" / "common.yaml").write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", f"At most {limit} requests")
    return git(folder, "rev-parse", "HEAD")


def make_repository(folder: Path) -> None:
    """Makes a repository of the app and environments of the test's own; the set-up brings this project's packages.

    Every build starts from the commit's files alone: the fewer there are, the less has to be unpacked and compiled.
    """
    shutil.copy(UNVALIDATED_APP, folder / "app.py")
    own = {"@aws-cdk/core:bootstrapQualifier": "team7b"}
    settings = {"app": "python3 app.py", "context": context() | own}
    (folder / "cdk.json").write_text(json.dumps(settings))
    (folder / ".gitignore").write_text(".venv\nnode_modules\ncdk.out\n")
    (folder / "environments").mkdir()
    (folder / "environments" / "pipeline.yaml").write_text(yaml.safe_dump(PIPELINE))
    for name, account in ACCOUNTS.items():
        place = {} if account == TOOLS_ACCOUNT else {"account": account}
        values = place | {"termination_protection": name == "prod"}
        (folder / "environments" / f"{name}.yaml").write_text(yaml.safe_dump(values))
    git(folder, "init", "--quiet", "--initial-branch", "main")


@dataclass
class Terminal:
    """A command at a terminal: standard input and standard error are one, standard output is a pipe."""

    command: list[str]
    folder: Path
    environment: dict[str, str]
    seen: str = ""
    out: str = ""
    status: int = -1

    def run(self, answers: dict[str, str]) -> "Terminal":
        """Runs it to its end; when a question appears, types its answer."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            start_new_session=True,
            text=True,
        ) as process:
            os.close(theirs)
            while data := _read(ours):
                self.seen += data
                for question in [one for one in answers if one in self.seen]:
                    os.write(ours, answers.pop(question).encode())
            self.out = process.stdout.read() if process.stdout else ""
            self.status = process.wait()
        os.close(ours)
        return self


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # how Linux tells that nobody has the other end any more
        return ""


@dataclass
class Rehearsed:
    """What a rehearsal at a terminal left."""

    terminal: Terminal
    document: dict[str, Any]
    cloud: Cloud
    commits: tuple[str, str]

    def limits(self) -> dict[str, str]:
        """MAX_CONCURRENT_REQUESTS of the model behind each environment's endpoint, asked of its account."""
        return {name: self._limit(name, account) for name, account in ACCOUNTS.items()}

    def _limit(self, name: str, account: str) -> str:
        sagemaker = self.cloud.client("sagemaker", account, REGION)
        endpoint = sagemaker.describe_endpoint(EndpointName=f"mistral-7b-instruct-{name}")
        assert endpoint["EndpointStatus"] == "InService"
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        limit: str = model["PrimaryContainer"]["Environment"]["MAX_CONCURRENT_REQUESTS"]
        return limit


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two small environments, one in an account of its own, one in the pipeline's."""
    folder = tmp_path_factory.mktemp("repository")
    make_repository(folder)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A shell's environment, with a folder of the test's own for temporary files."""
    return os.environ | {"TMPDIR": str(tmp_path_factory.mktemp("temporary")), "TERM": "xterm"}


@pytest.fixture(scope="module")
def rehearsed(repository: Path, environment: dict[str, str]) -> Iterator[Rehearsed]:
    """The first commit promoted, the second as far as its gate; the server is there until the end of the module."""
    commits = commit(repository, BEFORE), commit(repository, AFTER)
    command = [str(BIN / "mistral7b"), "pipeline", "rehearse", "--after", "HEAD~1", "--keep", "--json"]
    terminal = Terminal(command, repository, environment).run({"Approve dev / Promote?": "y\n"})
    assert terminal.out, terminal.seen
    document = json.loads(terminal.out)
    state = Path(document["kept"]) / "server"
    server = status(state)
    assert server is not None
    try:
        yield Rehearsed(terminal, document, Cloud(server.url, server.secret), commits)
    finally:
        down(state)
        shutil.rmtree(document["kept"])


def actions(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every action of a document by stage and name."""
    return {f"{stage['name']}/{action['name']}": action for stage in document["stages"] for action in stage["actions"]}


def test_a_commit_is_promoted_to_every_environment(rehearsed: Rehearsed) -> None:
    first = rehearsed.document["before"]
    assert (first["promoted"], first["commit"], first["stopped_by"]) == (True, rehearsed.commits[0], None)
    assert {action["status"] for action in actions(first).values()} == {"Succeeded"}
    assert [(e["environment"], e["account"], e["status"], e["commit"]) for e in first["environments"]] == [
        (name, account, "InService", rehearsed.commits[0]) for name, account in ACCOUNTS.items()
    ]


def test_the_pipeline_protects_what_the_file_says(rehearsed: Rehearsed) -> None:
    protected = {
        name: rehearsed.cloud.client("cloudformation", account, REGION).describe_stacks(
            StackName=f"mistral-7b-{name}-endpoint"
        )["Stacks"][0]["EnableTerminationProtection"]
        for name, account in ACCOUNTS.items()
    }
    assert protected == {"dev": False, "prod": True}


def test_a_commit_that_broadens_nothing_is_approved_by_its_review(rehearsed: Rehearsed) -> None:
    security = actions(rehearsed.document)["dev/SecurityChanges"]
    assert security["status"] == "Succeeded"
    assert "nothing in dev broadens" in security["reason"]
    assert "Approve dev / SecurityChanges?" not in rehearsed.terminal.seen


def test_an_approval_is_asked_for_at_the_terminal(rehearsed: Rehearsed) -> None:
    assert "Approve dev / Promote?" in rehearsed.terminal.seen
    promote = actions(rehearsed.document)["dev/Promote"]
    assert promote["status"] == "Succeeded"
    assert "approved by" in promote["reason"]


def test_a_gate_that_fails_ends_the_promotion_before_the_next_environment(rehearsed: Rehearsed) -> None:
    document = rehearsed.document
    assert rehearsed.terminal.status == 1
    assert (document["promoted"], document["commit"]) == (False, rehearsed.commits[1])
    stop = document["stopped_by"]
    assert (stop["stage"], stop["action"]) == ("dev", "Gate1")
    assert GATE in stop["reason"]
    assert "the promotion stopped at dev / Gate1" in rehearsed.terminal.seen
    statuses = {name: action["status"] for name, action in actions(document).items()}
    assert statuses["dev/Smoke"] == "Succeeded"
    assert {status for name, status in statuses.items() if name.startswith("prod/")} == {"NotStarted"}


def test_after_a_failed_gate_production_runs_what_it_ran_before(rehearsed: Rehearsed) -> None:
    assert rehearsed.limits() == {"dev": AFTER, "prod": BEFORE}


def test_what_each_action_printed_is_kept_with_the_server(rehearsed: Rehearsed) -> None:
    logs = {log.parent.name[4:]: log.read_text() for log in Path(rehearsed.document["kept"]).glob("actions/*/log")}
    assert "passed" in logs["dev-Smoke"]
    assert processes_with(Path(rehearsed.document["kept"]) / "actions") == []


def test_an_interrupted_rehearsal_leaves_nothing(repository: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [str(BIN / "mistral7b"), "pipeline", "rehearse", "--approve"],
        cwd=repository,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    await_line(process, "cdk bootstrap")
    assert interrupted(process, signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []
    assert processes_with(tmp_path) == []
