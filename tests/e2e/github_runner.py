"""A runner of GitHub Actions, as far as our workflows go: its steps in order, with the embedded AWS for AWS."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from tests.e2e.conftest import PROJECT, REGION
from tests.e2e.identity_provider import token
from tests.unit.promotion.github.workflows import ENVIRONMENT, JOBS, PROMOTE, SHELL
from tests.variants import context

ROOMS = ("constructs", "stacks", "mistral7b", "mistral7b_cli", "sagehost", "scaling_rules")
CHECKOUT = ("app.py", *ROOMS, ".venv", "node_modules")
"""What of the project a job needs; links, as a runner's own set-up would take minutes."""


@dataclass
class Runner:
    """Jobs of one run of the shipped workflows, for one environment."""

    repository: Path
    """What the commit has of its own: the environment files."""
    scratch: Path
    variables: Mapping[str, str]
    """What every job finds in its environment: where AWS and GitHub are, and no credentials."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Outputs of the jobs that have run."""
    log: str = ""
    """What their steps have printed."""

    @property
    def artifacts(self) -> Path:
        """Folder of the artifacts, each a file by its name."""
        return self.scratch / "artifacts"

    def run(self, job: str) -> dict[str, str]:
        """Runs a job, every step of which has to succeed; its outputs."""
        folder = self._checkout(job)
        self.artifacts.mkdir(exist_ok=True)
        # jsii unpacks its modules below HOME, once; whatever credentials are there are of no concern
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "JSII_NODE") if name in os.environ}
        nobody = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        own = self._values((PROMOTE if job == "build" else ENVIRONMENT)["env"]) | self._values(JOBS[job].get("env", {}))
        environment = {**kept, **nobody, "AWS_EC2_METADATA_DISABLED": "true", **self.variables, **own}
        steps: dict[str, Any] = {}
        for step in JOBS[job]["steps"]:
            if "if" in step and step["if"] != "always()" and not self._value(f"{step['if']} }}}}"):
                continue
            given = self._values(step.get("with", {}), steps)
            action = step.get("uses", "").partition("@")[0]
            if "run" in step:
                own = self._values(step.get("env", {}), steps)
                steps[step.get("id", "")] = self._script(step, folder, {**environment, **own})
            elif action == "aws-actions/configure-aws-credentials":
                environment |= self._sign_in(given, environment, self._subject(job))
            elif action == "actions/upload-artifact":
                shutil.copy(folder / given["path"], self.artifacts / given["name"])
            elif action == "actions/download-artifact":
                assert (self.artifacts / given["name"]).exists(), f"{step['name']}: artifact not found"
                if "path" not in given:
                    shutil.copy(self.artifacts / given["name"], folder / "assembly.tar")
            else:
                assert action == "actions/checkout"
        self.outputs[job] = self._values(JOBS[job].get("outputs", {}), steps)
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
        files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
        done = subprocess.run(
            SHELL.format(script).split(),
            cwd=folder,
            env={**environment, **files},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=180,
        )
        self.log += done.stdout
        assert done.returncode == 0, f"{step['name']}\n{done.stdout}"
        return dict(line.split("=", 1) for line in outputs.read_text().splitlines())

    def _values(self, texts: Mapping[str, str], steps: Mapping[str, Any] | None = None) -> dict[str, str]:
        return {
            name: re.sub(r"\$\{\{ .*? \}\}", lambda found: self._value(found[0], steps), text)
            for name, text in texts.items()
        }

    def _value(self, text: str, steps: Mapping[str, Any] | None = None) -> str:
        """The value of an expression: a path of contexts, in fromJSON() and toJSON() where these are called."""
        [(path, rest)] = re.findall(r"([\w.]+)((?:\)[.\w]*)*) \}\}$", text)
        contexts: dict[str, Any] = {
            "github": {"token": "a.job.token", "run_id": "1"},
            "steps": {step: {"outputs": values} for step, values in (steps or {}).items()},
            "inputs": self._inputs(),
        }
        value: Any = reduce(getitem, path.split("."), contexts)
        for call, member in zip(reversed(re.findall(r"(\w+)\(", text)), rest.split(")")[1:], strict=True):
            value = json.loads(value) if call == "fromJSON" else json.dumps(value)
            value = value[member.removeprefix(".")] if member else value
        return "" if value is None else str(value)

    def _inputs(self) -> dict[str, str]:
        """What promote.yml hands to the first environment."""
        build = self.outputs.get("build")
        if build is None:
            return {}
        return {"environment": json.dumps(json.loads(build["environments"])[0]), "digest": build["digest"]}

    def _subject(self, job: str) -> str:
        """The `sub` of a job's token."""
        place = f"ref:{self.variables['GITHUB_REF']}"
        if "environment" in JOBS[job]:
            place = "environment:" + self._values({"name": JOBS[job]["environment"]})["name"]
        return f"repo:{self.variables['GITHUB_REPOSITORY']}:{place}"

    def _sign_in(self, given: Mapping[str, Any], environment: Mapping[str, str], subject: str) -> dict[str, str]:
        """What aws-actions/configure-aws-credentials leaves in the job's environment."""
        role: dict[str, Any] = {"RoleArn": given["role-to-assume"], "RoleSessionName": "github"}
        role["DurationSeconds"] = int(given.get("role-duration-seconds", 3600))
        if given.get("role-chaining"):
            answer = self._sts(environment).assume_role(**role)
        else:
            answer = self._sts(None).assume_role_with_web_identity(**role, WebIdentityToken=token(subject))
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
