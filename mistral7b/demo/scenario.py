"""The steps of the demo. Every one is a command that a user types, run with the real CLIs."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from mistral7b.demo.report import Report
from mistral7b.environment import Environment, load_environment
from mistral7b.environment.load import COMMON
from mistral7b.operate.inventory import Resource, inventory
from mistral7b.process import run

if TYPE_CHECKING:
    import boto3

ENVIRONMENT = "dev"
NEW_LIMIT = 4
STREAMED_PROMPT = "Tell me in two sentences what continuous batching is."


class DemoFailedError(Exception):
    """Something did not come out as it has to."""


@dataclass
class Demo:
    """Deploys, asks, updates and removes one environment, on the AWS that the process's environment leads to.

    Environment files are copied, so that the one changed is not the user's; the cloud assembly goes next to the copy.
    """

    project: Path
    report: Report
    scratch: Path
    environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.files.mkdir()
        for name in (COMMON, f"{ENVIRONMENT}.yaml"):  # the others would only make each synth take longer
            shutil.copy(self.project / "environments" / name, self.files)
        self.environment = load_environment(self.files, ENVIRONMENT)

    @property
    def files(self) -> Path:
        """The copied environment files."""
        return self.scratch / "environments"

    def play(self) -> None:
        """All the steps, in order.

        Raises:
            CommandFailedError: a command failed.
            DemoFailedError: a command succeeded and yet the result is not what it has to be.
        """
        self._bootstrap()
        before = inventory(self._session())
        self._deploy()
        self._ask_the_examples()
        self._stream()
        self._update()
        self._destroy()
        self._prove_removal(before)

    def _bootstrap(self) -> None:
        account = self._session().client("sts").get_caller_identity()["Account"]
        with self.report.step(
            "Bootstrap the account", f"cdk bootstrap aws://{account}/{self.environment.region}"
        ) as step:
            self._cdk("bootstrap", f"aws://{account}/{self.environment.region}")
            step.result = "bucket, repository and roles of the CDK"

    def _deploy(self) -> None:
        with self.report.step("Deploy", f"cdk deploy '{ENVIRONMENT}/*'") as step:
            self._cdk("deploy", f"{ENVIRONMENT}/*", "--require-approval", "never", "--progress", "events")
            step.result = f"{self.environment.resolved_endpoint_name} is {self._endpoint_status()}"

    def _ask_the_examples(self) -> None:
        with self.report.step("Ask every example prompt", f"mistral7b examples {ENVIRONMENT}") as step:
            self._mistral7b("examples", ENVIRONMENT)
            step.result = "every prompt is answered"

    def _stream(self) -> None:
        with self.report.step("Stream an answer", f'mistral7b invoke {ENVIRONMENT} --stream "{STREAMED_PROMPT}"'):
            self._mistral7b("invoke", ENVIRONMENT, "--stream", "--parameter", "max_new_tokens=80", STREAMED_PROMPT)

    def _update(self) -> None:
        self._set_limit()
        before = self._running_models()
        with self.report.step(
            f"Update: MAX_CONCURRENT_REQUESTS becomes {NEW_LIMIT}", f"cdk deploy '{ENVIRONMENT}/*'"
        ) as step:
            self._cdk("deploy", f"{ENVIRONMENT}/*", "--require-approval", "never", "--progress", "events")
            limits = [model["MAX_CONCURRENT_REQUESTS"] for model in self._running_models().values()]
            if limits != [str(NEW_LIMIT)] or before.keys() & self._running_models().keys():
                raise DemoFailedError(f"the models after the update are {self._running_models()}, before {before}")
            step.result = f"a new model and config; {self._endpoint_status()}"

    def _destroy(self) -> None:
        # what the deployment has made of the app will do: another synth would change nothing but take its time
        with self.report.step("Remove everything", f"cdk destroy --app cdk.out '{ENVIRONMENT}/*'"):
            self._cdk("destroy", f"{ENVIRONMENT}/*", "--force")

    def _prove_removal(self, before: set[Resource]) -> None:
        with self.report.step("Prove that nothing is left") as step:
            left = inventory(self._session()) - before
            if left:
                raise DemoFailedError(f"left behind: {', '.join(f'{r.kind} {r.name}' for r in sorted(left))}")
            step.result = f"the same {len(before)} resources as before"

    def _set_limit(self) -> None:
        file = self.files / f"{ENVIRONMENT}.yaml"
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        values.setdefault("tgi", {})["MAX_CONCURRENT_REQUESTS"] = NEW_LIMIT
        file.write_text(yaml.safe_dump(values), encoding="utf-8")

    def _running_models(self) -> dict[str, dict[str, str]]:
        """The container environment of every model there is, by the model's name."""
        sagemaker = self._session().client("sagemaker")
        names = [model["ModelName"] for model in sagemaker.list_models()["Models"]]
        return {n: sagemaker.describe_model(ModelName=n)["PrimaryContainer"]["Environment"] for n in names}

    def _endpoint_status(self) -> str:
        sagemaker = self._session().client("sagemaker")
        name = self.environment.resolved_endpoint_name
        status: str = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
        if status != "InService":
            raise DemoFailedError(f"endpoint {name} is {status}")
        return status

    def _session(self) -> "boto3.Session":
        import boto3  # noqa: PLC0415 - a third of a second, which `mistral7b --help` does without

        return boto3.Session(region_name=self.environment.region)

    def _cdk(self, command: str, *arguments: str) -> str:
        program = str(self.project / ".venv" / "bin" / "cdk")
        if command == "bootstrap":  # in the project's folder, the CLI would synthesize the app first, for nothing
            return run([program, command, *arguments], self.scratch, self.report.now)
        assembly = str(self.scratch / "cdk.out")
        if command == "destroy":
            return run([program, command, *arguments, "--app", assembly], self.project, self.report.now)
        elsewhere = ["--context", f"environments={self.files}", "--output", assembly]
        return run([program, command, *arguments, *elsewhere], self.project, self.report.now)

    def _mistral7b(self, *arguments: str) -> str:
        program = str(self.project / ".venv" / "bin" / "mistral7b")
        return run([program, *arguments, "--environments", str(self.files)], self.project, self.report.tell)


def play(project: Path, report: Report) -> None:
    """Starts an embedded AWS for the demo alone, plays the demo on it and leaves nothing behind, however it ends.

    Raises:
        CommandFailedError, DemoFailedError: see `Demo.play`.
        LifecycleError: the server does not start.
    """
    from localaws.accounts import credentials  # noqa: PLC0415 - only the commands that need it import localaws
    from localaws.lifecycle import running_server  # noqa: PLC0415

    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mistral7b-demo-")))
        with report.step("Start the embedded AWS", "mistral7b local up") as step:
            server = stack.enter_context(running_server())
            step.result = server.url
        region = load_environment(project / "environments", ENVIRONMENT).region
        # jsii leaves its temporary files behind when it is interrupted: they go with the scratch folder
        settings = {**credentials(region=region), "AWS_ENDPOINT_URL": server.url, "TMPDIR": str(scratch)}
        stack.enter_context(exported(settings))
        Demo(project, report, scratch).play()


@contextmanager
def exported(settings: Mapping[str, str]) -> Iterator[None]:
    """Has these settings and no other AWS ones in the environment, as after `eval "$(mistral7b local up)"`."""
    before = {n: value for n, value in os.environ.items() if n.startswith("AWS_") or n in settings}
    for name in before:
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]
        os.environ.update(before)
