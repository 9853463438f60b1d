"""The steps of the demo. Every one is a command that a user types, run with the real CLIs."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml

from mistral7b.environment import Environment, EnvironmentFileError, load_environment
from mistral7b.environment.load import COMMON
from mistral7b.examples import examples
from mistral7b.operate.cleanup import look
from mistral7b.operate.inventory import Resource, inventory
from mistral7b.operate.stacks import resources
from mistral7b.process import CommandFailedError, cdk_program, mistral7b_command, python_first, run
from mistral7b.promotion.names import environment_stacks
from mistral7b.prompts import instruction
from mistral7b.tgi import GenerateParameters, GenerateRequest, TgiError
from mistral7b.tgi.validation import validate
from mistral7b.yamlfile import read
from mistral7b_cli.demo.prerequisites import permissions_boundary, prerequisites
from mistral7b_cli.rehearsal.cloud import Cloud
from mistral7b_cli.report import Report, StepFailedError
from sagehost.accounts import DEFAULT_ACCOUNT
from sagehost.lifecycle import running_server

EXAMPLE = Path(__file__).parent / "example"
EXAMPLE_NAME = "dev"
NEW_LIMIT = 4
_UNATTENDED = ("--require-approval", "never", "--progress", "events")
STREAMED_PROMPTS = ("Tell me in two sentences what continuous batching is.", "Hi")
STREAMED_TOKENS = (80, 1)
"""The first prompt and number of tokens within the file's limits are used."""


@dataclass
class Demo:
    """Deploys, invokes, updates and removes one environment, on the AWS that the process's environment leads to.

    Environment files are copied, so that the one changed is not the user's; the cloud assembly goes next to the copy.
    """

    project: Path
    report: Report
    scratch: Path
    source: Path
    name: str
    environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.files.mkdir()
        for name in (COMMON, f"{self.name}.yaml"):  # the others would only make each synth take longer
            if (self.source / name).exists():
                shutil.copy(self.source / name, self.files)
        self.environment = load_environment(self.files, self.name)

    @property
    def files(self) -> Path:
        """The copied environment files."""
        return self.scratch / "environments"

    @property
    def account(self) -> str:
        """The account that the file names, or else the embedded AWS's own."""
        return self.environment.account or DEFAULT_ACCOUNT

    def run(self) -> None:
        """All the steps, in order.

        Raises:
            CommandFailedError: a command failed.
            StepFailedError: a command succeeded and yet the result is not what it has to be.
        """
        place, stacks = f"aws://{self.account}/{self.environment.region}", f"{self.name}/*"
        with self.report.step("Bootstrap the account", f"cdk bootstrap {place}") as step:
            self._cdk("bootstrap", place)
            step.result = "bucket, repository and roles of the CDK"
        self._make_prerequisites()
        before = inventory(self._session)
        with self.report.step("Deploy", f"cdk deploy '{stacks}'") as step:
            self._cdk("deploy", stacks, *_UNATTENDED)
            step.result = f"{self.environment.resolved_endpoint_name} is {self._endpoint_status()}"
        self._send_examples()
        self._stream()
        self._update(stacks)
        self._empty_buckets()
        # what the deployment has made of the app will do: another synth would change nothing but take its time
        with self.report.step("Remove everything", f"cdk destroy --app cdk.out '{stacks}'"):
            self._cdk("destroy", stacks, "--force")
        self._prove_removal(before)

    def _make_prerequisites(self) -> None:
        client = Cloud(os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_SECRET_ACCESS_KEY"]).client
        lines = [*permissions_boundary(self.project, self.account, self.environment.region, client)]
        if lines := [*lines, *prerequisites(self.environment, self.account, client)]:
            with self.report.step("Create what the file requires") as step:
                for line in lines:
                    self.report.tell(f"created first: {line}")
                step.result = f"{len(lines)} resources"

    def _send_examples(self) -> None:
        asked = [(one, one.text(one.language("en"))) for one in examples(self.environment.model)]
        refused = [one.name for one, text in asked if not self._fits(text, **one.parameters.model_dump())]
        with self.report.step("Send every example prompt", f"mistral7b examples {self.name}") as step:
            try:
                self._mistral7b("examples", self.name)
            except CommandFailedError as error:
                if not refused or f"{len(refused)} of {len(asked)} examples were not answered" not in str(error):
                    raise
            step.result = f"the file's limits refuse {', '.join(refused)}" if refused else "every prompt is answered"

    def _stream(self) -> None:
        fitting = ((p, n) for p in STREAMED_PROMPTS for n in STREAMED_TOKENS if self._fits(p, max_new_tokens=n))
        if (chosen := next(fitting, None)) is None:
            self.report.tell("no answer is streamed: the file's limits are too small for any prompt")
            return
        prompt, tokens = chosen
        with self.report.step("Stream an answer", f'mistral7b invoke {self.name} --stream "{prompt}"'):
            self._mistral7b("invoke", self.name, "--stream", "--parameter", f"max_new_tokens={tokens}", prompt)

    def _fits(self, text: str, **parameters: Any) -> bool:
        inputs = text if self.environment.model == "base" else instruction(text)
        request = GenerateRequest(inputs=inputs, parameters=GenerateParameters(**parameters))
        try:
            validate(request, self.environment.launcher_settings())
        except TgiError:
            return False
        return True

    def _update(self, stacks: str) -> None:
        limit = self._set_limit()
        before = self._running_models()
        title = f"Update: MAX_CONCURRENT_REQUESTS becomes {limit}"
        with self.report.step(title, f"cdk deploy '{stacks}'") as step:
            self._cdk("deploy", stacks, *_UNATTENDED)
            after = self._running_models()
            limits = [model["MAX_CONCURRENT_REQUESTS"] for model in after.values()]
            if limits != [str(limit)] or before.keys() & after.keys():
                raise StepFailedError(f"the models after the update are {after}, before {before}")
            step.result = f"a new model and config; {self._endpoint_status()}"

    def _empty_buckets(self) -> None:
        """Empties the bucket of captured requests, if the file says that it is removed."""
        if self.environment.data_capture is None or self.environment.removal.captured_data != "destroy":
            return
        made = resources(self._session.client("cloudformation"), environment_stacks(self.name)[0])
        for bucket in [one["PhysicalResourceId"] for one in made if one["ResourceType"] == "AWS::S3::Bucket"]:
            command = f"aws s3 rm s3://{bucket} --recursive"
            with self.report.step("Empty a bucket, which CloudFormation does not", command):
                self._session.resource("s3").Bucket(bucket).object_versions.delete()

    def _prove_removal(self, before: set[Resource]) -> None:
        with self.report.step("Prove that nothing is left", f"mistral7b cleanup {self.name} --check") as step:
            retained = [one for one in look(self._session.client, self.environment).left if "removal" in one.why]
            try:
                self._mistral7b("cleanup", self.name, "--check")
            except CommandFailedError as error:
                if not retained or error.status != 1:
                    raise
            left = inventory(self._session) - before
            if unexpected := sorted(left - {Resource(one.kind, one.name) for one in retained}):
                raise StepFailedError(f"left behind: {', '.join(f'{r.kind} {r.name}' for r in unexpected)}")
            more = f", and {len(left)} that the file keeps" if left else ""
            step.result = f"the same {len(before)} resources as before{more}"

    def _set_limit(self) -> int:
        """Sets another limit in the copy, one that keeps to the file's rules."""
        file = self.files / f"{self.name}.yaml"
        values = dict(read(file, str(file)).values)
        present = self.environment.launcher_settings().max_concurrent_requests
        for limit in (NEW_LIMIT, present + 1, present - 1):
            values["tgi"] = (values.get("tgi") or {}) | {"MAX_CONCURRENT_REQUESTS": limit}
            file.write_text(yaml.safe_dump(values), encoding="utf-8")
            with suppress(EnvironmentFileError):
                load_environment(self.files, self.name)
                if limit != present:
                    return limit
        raise StepFailedError(f"the file's rules let no other MAX_CONCURRENT_REQUESTS than {present} through")

    def _running_models(self) -> dict[str, dict[str, str]]:
        """The container environment of every model there is, by the model's name."""
        sagemaker = self._session.client("sagemaker")
        names = [model["ModelName"] for model in sagemaker.list_models()["Models"]]
        return {n: sagemaker.describe_model(ModelName=n)["PrimaryContainer"]["Environment"] for n in names}

    def _endpoint_status(self) -> str:
        sagemaker = self._session.client("sagemaker")
        name = self.environment.resolved_endpoint_name
        status = str(sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])
        if status != "InService":
            raise StepFailedError(f"endpoint {name} is {status}")
        return status

    @cached_property
    def _session(self) -> boto3.Session:
        """One session, so that no service's model is parsed twice."""
        return boto3.Session(region_name=self.environment.region)

    def _cdk(self, command: str, *arguments: str) -> str:
        assembly = str(self.scratch / "cdk.out")
        # In full, as remembering what has passed would leave files in the project.
        app = ["--context", f"environments={self.files}", "--context", "validation=full", "--output", assembly]
        if command == "bootstrap":  # which reads the qualifier in cdk.json, and has no use for the app
            app = ["--app", ""]
        elif command == "destroy":
            app = ["--app", assembly]
        return run([cdk_program(self.project), command, *arguments, *app], self.project, self.report.now)

    def _mistral7b(self, *arguments: str) -> str:
        command = [*mistral7b_command(), *arguments, "--environments", str(self.files)]
        return run(command, self.project, self.report.tell)


def run_demo(project: Path, report: Report, folder: Path = EXAMPLE, name: str = EXAMPLE_NAME) -> None:
    """Starts an embedded AWS only for the demo, runs the demo on it and leaves nothing behind, however it ends.

    Raises:
        CommandFailedError, StepFailedError: see `Demo.run`; or there is no CDK CLI.
        EnvironmentFileError: the environment's files are wrong, or there is no such environment.
        LifecycleError: the server does not start.
    """
    environment = load_environment(folder, name)
    cdk_program(project)  # before anything is started
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mistral7b-demo-")))
        with report.step("Start the embedded AWS", "mistral7b local up") as step:
            server = stack.enter_context(running_server())
            step.result = server.url
        # jsii leaves its temporary files behind when it is interrupted: they go with the scratch folder
        settings = {
            **server.settings(environment.account or DEFAULT_ACCOUNT, environment.region),
            "PATH": python_first(),
            "TMPDIR": str(scratch),
        }
        stack.enter_context(exported(settings))
        Demo(project, report, scratch, folder, name).run()


@contextmanager
def exported(settings: Mapping[str, str]) -> Iterator[None]:
    """Has these settings and no other AWS ones in the environment, as after `eval "$(mistral7b local up)"`."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
