"""`mistral7b stop` and `start`: the endpoint goes and comes back from what is deployed, on the embedded AWS."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.container import start as container
from mistral7b.environment import load_environment
from mistral7b.operate import hours
from mistral7b.operate.account import CHECKS
from mistral7b.operate.checks import Target
from mistral7b.operate.place import Place
from sagehost import hosting, moto_app
from sagehost.cloudformation import engine
from sagehost.hosting.settings import HostingSettings
from tests.unit.cli.conftest import Result, run_main
from tests.unit.fresh_accounts import fresh_account
from tests.unit.promotion.check.conftest import EmbeddedCloud, bootstrap
from tests.unit.sagehost.cloudformation.templates import hosting as hosting_of

REGION, STACK, CHAT = "us-east-1", "mistral-7b-dev-endpoint", "Chat"
HOURS = 'office_hours: {time_zone: Europe/Berlin, weekdays: "08:00-19:00"}\n'


class Session:
    """boto3's, of the account on the embedded AWS."""

    def __init__(self, account: str) -> None:
        self.account = account

    def client(self, service: str, **_: Any) -> Any:
        return moto_app.client(service, self.account, REGION)


class Site:
    """A deployed environment, and the commands for it."""

    def __init__(self, session: Session, run: Callable[..., Result]) -> None:
        self.client, self.account, self.run = session.client, session.account, run

    def deploy(self, *, scales: bool = False) -> None:
        every = hosting_of()
        every["Endpoint"]["Properties"] |= {"EndpointName": CHAT}
        resources = every if scales else {name: every[name] for name in ("Role", "Model", "Config", "Endpoint")}
        body = {"Resources": resources, "Outputs": {"EndpointName": {"Value": CHAT}}}
        self.client("cloudformation").create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(body),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "team", "Value": "search"}],
        )
        assert self.status() == "InService"

    def status(self) -> str | None:
        while True:
            try:
                found = str(self.client("sagemaker").describe_endpoint(EndpointName=CHAT)["EndpointStatus"])
            except ClientError:
                return None
            if found not in ("Creating", "Updating"):
                return found
            time.sleep(0.01)


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Site:
    containers = {"huggingface-pytorch-tgi-inference": lambda: container}
    hosting.install(HostingSettings(endpoint_seconds=0, interface_seconds=0.1), containers=containers)
    monkeypatch.setattr(engine, "LINGER_S", 60)
    session = Session(fresh_account())
    for command in ("stop", "start", "status"):
        monkeypatch.setattr(f"mistral7b_cli.{command}.announce", lambda *_, **__: session)
    monkeypatch.setattr(hours, "_POLL_S", 0.01)

    def run(*arguments: str, file: str = HOURS) -> Result:
        (tmp_path / "dev.yaml").write_text(f"region: {REGION}\n{file}")
        return run_main(monkeypatch, capsys, arguments[0], "dev", *arguments[1:], "--environments", str(tmp_path))

    return Site(session, run)


def document(result: Result) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(result.out)
    return found


def test_a_stopped_endpoint_is_started_with_its_configuration_and_the_tags_of_its_stack(site: Site) -> None:
    site.deploy()
    sagemaker = site.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=CHAT)
    stopped = site.run("stop", "--yes", "--json")
    assert (stopped.status, document(stopped)["stopped"], site.status()) == (0, True, None)
    assert document(stopped)["usd_per_month"] == 745  # 730 hours less 238, of 1.515 USD
    started = site.run("start", "--json")
    assert (started.status, document(started)["started"], site.status()) == (0, True, "InService")
    after = sagemaker.describe_endpoint(EndpointName=CHAT)
    assert (after["EndpointName"], after["EndpointConfigName"]) == (CHAT, before["EndpointConfigName"])
    assert sagemaker.list_tags(ResourceArn=after["EndpointArn"])["Tags"] == [{"Key": "team", "Value": "search"}]


def test_both_succeed_where_there_is_nothing_to_do(site: Site) -> None:
    site.deploy()
    assert document(site.run("start", "--json"))["started"] is False
    assert site.run("stop", "--yes").status == 0
    assert document(site.run("stop", "--json"))["stopped"] is False


def test_nothing_is_deleted_unasked(site: Site) -> None:
    site.deploy()
    result = site.run("stop")
    assert (result.status, site.status()) == (2, "InService")
    assert "saves USD 1.515 an hour, 745 a month" in result.err
    assert 'ValidationError "Endpoint Chat … not found"' in result.err
    assert "fix: add --yes" in result.err


def test_what_scales_is_not_stopped(site: Site) -> None:
    site.deploy(scales=True)
    result = site.run("stop", "--yes")
    assert (result.status, site.status()) == (1, "InService")
    assert "deploy it with auto_scaling: null first" in result.err


@pytest.mark.parametrize("command", [("stop", "--yes"), ("start",)])
def test_what_is_not_deployed_is_neither_stopped_nor_started(site: Site, command: tuple[str, ...]) -> None:
    result = site.run(*command)
    assert result.status == 3
    assert "fix: cdk deploy 'dev/*'" in result.err


def test_an_endpoint_that_has_failed_is_deleted_and_created_again(site: Site) -> None:
    site.deploy()
    sagemaker = site.client("sagemaker")
    model = sagemaker.list_models()["Models"][0]["ModelName"]
    config = sagemaker.describe_endpoint(EndpointName=CHAT)["EndpointConfigName"]
    described = sagemaker.describe_model(ModelName=model)
    broken = described["PrimaryContainer"] | {"Environment": {"MAX_INPUT_LENGTH": "9000"}}
    sagemaker.create_model(ModelName="broken", ExecutionRoleArn=described["ExecutionRoleArn"], PrimaryContainer=broken)
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    sagemaker.create_endpoint_config(
        EndpointConfigName="broken", ProductionVariants=[{**variants[0], "ModelName": "broken"}]
    )
    sagemaker.delete_endpoint(EndpointName=CHAT)
    sagemaker.create_endpoint(EndpointName=CHAT, EndpointConfigName="broken")
    assert site.status() == "Failed"
    assert site.run("start").status == 0
    assert sagemaker.describe_endpoint(EndpointName=CHAT)["EndpointConfigName"] == config


def test_a_pipeline_starts_nothing_without_office_hours(site: Site) -> None:
    result = site.run("start", "--as-pipeline", file="")
    assert (result.status, result.out) == (0, "dev has no office_hours: nothing to start\n")


@pytest.fixture
def as_pipeline(site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Result]:
    """Runs the command as a pipeline does, with roles of an account that is bootstrapped."""
    bootstrap(site.account)
    monkeypatch.setattr("mistral7b_cli.start.Cloud", lambda: EmbeddedCloud(site.account))
    return lambda: site.run("start", "--as-pipeline", file=f'account: "{site.account}"\n{HOURS}')


def test_a_pipeline_starts_nothing_before_the_first_deployment(as_pipeline: Callable[[], Result]) -> None:
    result = as_pipeline()
    assert (result.status, result.out) == (0, "dev is not deployed yet: nothing to start\n")


def test_a_pipeline_needs_no_gate_role_for_what_runs(site: Site, as_pipeline: Callable[[], Result]) -> None:
    site.deploy()
    assert (as_pipeline().status, site.status()) == (0, "InService")


def test_a_pipeline_starts_what_is_stopped_by_the_gate_role(site: Site, as_pipeline: Callable[[], Result]) -> None:
    site.deploy()
    site.run("stop", "--yes")
    refused = as_pipeline()
    assert refused.status != 0
    assert "role/mistral-7b-dev-gate" in refused.err
    principal = {"AWS": f"arn:aws:iam::{site.account}:root"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    site.client("iam").create_role(RoleName="mistral-7b-dev-gate", AssumeRolePolicyDocument=json.dumps(trust))
    assert (as_pipeline().status, site.status()) == (0, "InService")


def test_status_and_doctor_tell_that_the_endpoint_is_stopped(site: Site, tmp_path: Path) -> None:
    site.deploy()
    site.run("stop", "--yes", file=f"endpoint_name: {CHAT}\n")
    told = site.run("status", file=f"endpoint_name: {CHAT}\n")
    assert told.status == 1
    assert "fix            mistral7b start dev" in told.out
    env = load_environment(tmp_path, "dev")
    [check] = [one for one in CHECKS if one.name == "endpoint"]
    [finding] = check(Target(Place(site.account, REGION), site.client, "dev.yaml", env))
    assert (finding.outcome, finding.fix) == ("warning", "mistral7b start dev")
