"""What a server that ends does with the builds that are running."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.localaws.codebuild.test_phases import ends, gone

# A server with one build, which its own process starts as a pipeline would.
PROGRAM = """
import json, pathlib, sys, threading, time
from localaws import codebuild, moto_app, server

ready, told = pathlib.Path(sys.argv[1]), sys.argv[2]

def build():
    while not ready.exists():
        time.sleep(0.05)
    account, region = "111111111111", "us-east-1"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codebuild.amazonaws.com"}}
    role = moto_app.client("iam", account, region).create_role(
        RoleName="builds", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    command = f"sleep 300 & echo $$ $! >'{told}.new'; mv '{told}.new' '{told}'; wait"
    moto_app.client("codebuild", account, region).create_project(
        name="project",
        serviceRole=role,
        source={"type": "NO_SOURCE", "buildspec": json.dumps(
            {"version": "0.2", "phases": {"build": {"commands": [command]}}}
        )},
        artifacts={"type": "NO_ARTIFACTS"},
        logsConfig={"cloudWatchLogs": {"status": "DISABLED"}},
        environment={"type": "LINUX_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"},
    )
    codebuild.run("project", account, region, sources={}, primary="", environment={}, initiator="test",
                  cancelled=threading.Event())

threading.Thread(target=build, daemon=True).start()
sys.exit(server.main(["--ready-file", str(ready)]))
"""


def test_a_server_that_ends_takes_the_processes_of_builds_with_it(tmp_path: Path) -> None:
    ready, told = tmp_path / "ready.json", tmp_path / "pids"
    server = subprocess.Popen([sys.executable, "-c", PROGRAM, str(ready), str(told)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not told.exists() and server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(pid) for pid in told.read_text().split()]
    assert not any(gone(pid) for pid in pids)
    assert (tmp_path / "codebuild" / "111111111111" / "src").is_dir()
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=10) == 0
    assert all(ends(pid) for pid in pids)
