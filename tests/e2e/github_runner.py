"""A runner of GitHub Actions, as far as our workflow goes: its steps in order, with the embedded AWS for AWS."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from tests.e2e.conftest import PROJECT, REGION
from tests.variants import context

CHECKOUT = ("app.py", "constructs", "stacks", "mistral7b", "localaws", ".venv", "node_modules")
"""What of the project a job needs; links, as a runner's own set-up would take minutes."""


@dataclass
class Runner:
    """Jobs of one run of a workflow."""

    workflow: Any
    """The workflow, parsed."""
    repository: Path
    """What the commit has of its own: environment files and the workflow."""
    scratch: Path
    variables: Mapping[str, str]
    """What every job finds in its environment: where AWS and GitHub are, and no credentials."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Outputs of the jobs that have run."""
    log: str = ""
    """What their steps have printed."""

    def run(self, job: str) -> dict[str, str]:
        """Runs a job, every step of which has to succeed; its outputs."""
        made = self.workflow["jobs"][job]
        folder = self._checkout(job)
        # jsii unpacks its modules below HOME, once; whatever credentials are there are of no concern
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "JSII_NODE") if name in os.environ}
        nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        environment = {**kept, **nobody, "AWS_EC2_METADATA_DISABLED": "true", **self.variables}
        steps: dict[str, dict[str, str]] = {}
        for step in made["steps"]:
            action = step.get("uses", "").partition("@")[0]
            if "run" in step:
                steps[step.get("id", "")] = self._script(step, folder, environment)
            elif action == "aws-actions/configure-aws-credentials":
                environment |= self._sign_in(step["with"], environment)
            elif action == "actions/upload-artifact":
                shutil.copy(folder / step["with"]["path"], self.scratch / "artifact")
            elif action == "actions/download-artifact":
                shutil.copy(self.scratch / "artifact", folder / "assembly.tar")
            else:
                assert action == "actions/checkout"
        self.outputs[job] = {
            name: steps[found[1]][found[2]]
            for name, value in made.get("outputs", {}).items()
            if (found := re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}", value))
        }
        return self.outputs[job]

    def _checkout(self, job: str) -> Path:
        folder = self.scratch / job
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.repository, folder)
        for name in CHECKOUT:
            (folder / name).symlink_to(PROJECT / name)
        (folder / "cdk.json").write_text(json.dumps({"app": "python3 app.py", "context": context()}))
        return folder

    def _script(self, step: Mapping[str, Any], folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
        script, outputs = folder / "step.sh", folder / "step.outputs"
        script.write_text(step["run"])
        outputs.write_text("")
        own = {name: self._value(text) for name, text in step.get("env", {}).items()}
        files = {
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_SHA": "c0ffee",
        }
        done = subprocess.run(
            self.workflow["defaults"]["run"]["shell"].format(script).split(),
            cwd=folder,
            env={**environment, **files, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=180,
        )
        self.log += done.stdout
        assert done.returncode == 0, f"{step['name']}\n{done.stdout}"
        return dict(line.split("=", 1) for line in outputs.read_text().splitlines())

    def _value(self, text: str) -> str:
        """The value of an expression of a step's `env`."""
        if text == "${{ github.token }}":
            return self.variables["TOKEN"]
        if found := re.fullmatch(r"\$\{\{ needs\.([\w-]+)\.outputs\.(\w+) \}\}", text):
            return self.outputs[found[1]][found[2]]
        assert "${{" not in text
        return text

    def _sign_in(self, given: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
        """What aws-actions/configure-aws-credentials leaves in the job's environment."""
        role = {"RoleArn": given["role-to-assume"], "RoleSessionName": "github"}
        role["DurationSeconds"] = given.get("role-duration-seconds", 3600)
        if given.get("role-chaining"):
            answer = self._sts(environment).assume_role(**role)
        else:
            answer = self._sts(None).assume_role_with_web_identity(**role, WebIdentityToken="a.job.token")
        assert answer["AssumedRoleUser"]["Arn"].split(":")[4] == given["allowed-account-ids"]
        return {
            "AWS_ACCESS_KEY_ID": answer["Credentials"]["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": answer["Credentials"]["SecretAccessKey"],
            "AWS_SESSION_TOKEN": answer["Credentials"]["SessionToken"],
            "AWS_REGION": given["aws-region"],
            "AWS_DEFAULT_REGION": given["aws-region"],
        }

    def _sts(self, environment: Mapping[str, str] | None) -> Any:
        url = self.variables["AWS_ENDPOINT_URL"]
        if environment is None:
            return boto3.client("sts", endpoint_url=url, region_name=REGION, config=Config(signature_version=UNSIGNED))
        return boto3.client(
            "sts",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment["AWS_SESSION_TOKEN"],
        )
