"""What runs against the environment's file, on endpoints of the embedded AWS in this process."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from moto.cloudwatch.models import cloudwatch_backends

from mistral7b.container import start
from mistral7b.environment import Environment
from mistral7b.operate.costs import estimate
from mistral7b.operate.status import as_deployed, read_status
from mistral7b_cli import status as command
from sagehost import hosting, moto_app
from sagehost.hosting.endpoints import Work
from sagehost.hosting.settings import HostingSettings
from tests.unit.fresh_accounts import fresh_account
from tests.unit.operate.conftest import REGION, environment

SCALING = {"min_instances": 1, "max_instances": 3, "target_concurrent_requests": 20}
CAPTURE = {"sampling_percentage": 10, "modes": ["Input"]}
STACK = "mistral-7b-dev-endpoint"
HOURS = {"time_zone": "Europe/Berlin", "weekdays": "08:00-19:00"}


class Later:
    """Does the work of endpoints at once, unless it is held."""

    def __init__(self) -> None:
        self.held, self.waiting = False, list[Work]()

    def __call__(self, work: Work) -> None:
        if self.held:
            self.waiting.append(work)
        else:
            work()


class Denying:
    """A client whose caller may not call some of its operations."""

    def __init__(self, client: Any, operations: tuple[str, ...]) -> None:
        self._client, self._operations = client, operations

    def __getattr__(self, name: str) -> Any:
        if name in self._operations:
            return self._deny
        return getattr(self._client, name)

    def _deny(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "Operation")


@dataclass
class Account:
    """An account, and what is deployed there."""

    number: str
    later: Later
    denied: tuple[str, ...] = ()

    def client(self, service: str) -> Any:
        return Denying(moto_app.client(service, self.number, REGION), self.denied)

    def read(self, now: datetime | None = None, **file: Any) -> dict[str, Any]:
        """The status against a file with these fields."""
        found = read_status(self.client, dev(**file), now)
        assert found is not None
        return found

    def differences(self, **file: Any) -> dict[str, tuple[Any, Any]]:
        """The deployed value and the file's of each field that differs."""
        return {one["field"]: (one["deployed"], one["file"]) for one in self.read(**file)["differences"]}

    def configure(self, env: Environment, name: str) -> str:
        """Makes the model and the configuration of an environment, as its template does."""
        sagemaker, capture = self.client("sagemaker"), env.data_capture
        source = {"S3Uri": env.artifact_uri, "S3DataType": "S3Prefix", "CompressionType": "None"}
        container = {"Image": env.image_uri, "Environment": env.container_environment()}
        container["ModelDataSource"] = {"S3DataSource": source}
        role = f"arn:aws:iam::{self.number}:role/execution"
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": name,
            "InstanceType": env.instance_type,
            "InitialInstanceCount": env.instance.count,
            "ModelDataDownloadTimeoutInSeconds": env.timeouts.model_download_seconds,
            "ContainerStartupHealthCheckTimeoutInSeconds": env.timeouts.container_startup_seconds,
        }
        kept: dict[str, Any] = {"MetricsConfig": {"EnableDetailedObservability": env.detailed_observability}}
        if capture:
            kept["DataCaptureConfig"] = {
                "EnableCapture": True,
                "InitialSamplingPercentage": capture.sampling_percentage,
                "DestinationS3Uri": "s3://captured/here",
                "CaptureOptions": [{"CaptureMode": mode} for mode in capture.modes],
            }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **kept)
        return name

    def deploy(self, **file: Any) -> None:
        """Makes the endpoint of an environment, and its scaling."""
        env = dev(**file)
        config = self.configure(env, "first")
        self.client("sagemaker").create_endpoint(EndpointName=env.resolved_endpoint_name, EndpointConfigName=config)
        if env.auto_scaling:
            scaling, named = self.client("application-autoscaling"), target(env)
            bounds = {"MinCapacity": env.auto_scaling.min_instances, "MaxCapacity": env.auto_scaling.max_instances}
            suspended = {"DynamicScalingInSuspended": True}
            scaling.register_scalable_target(**named, **bounds, SuspendedState=suspended)
            metric = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
            policy = {
                "TargetValue": env.auto_scaling.target_concurrent_requests,
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
                "ScaleInCooldown": env.auto_scaling.scale_in_cooldown_seconds,
                "ScaleOutCooldown": env.auto_scaling.scale_out_cooldown_seconds,
            }
            of = {"PolicyName": "in flight", "PolicyType": "TargetTrackingScaling"}
            scaling.put_scaling_policy(**of, **named, TargetTrackingScalingPolicyConfiguration=policy)

    def stack(self, **resources: Any) -> None:
        """Begins to make the environment's stack of these resources."""
        body = json.dumps({"Resources": resources})
        self.client("cloudformation").create_stack(StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])

    def measure(self, metric: str, values: list[float], time: datetime) -> None:
        """Publishes values of a metric of the endpoint, as SageMaker does and its callers cannot."""
        names = {"EndpointName": dev().resolved_endpoint_name, "VariantName": "AllTraffic"}
        dimensions = [{"Name": name, "Value": value} for name, value in names.items()]
        datum = {
            "MetricName": metric,
            "Dimensions": dimensions,
            "Timestamp": time.replace(tzinfo=None),
            "Values": values,
        }
        cloudwatch_backends[self.number][REGION].put_metric_data("AWS/SageMaker", [datum])


def dev(**file: Any) -> Environment:
    return environment(file.pop("tgi", {}), **file)


def target(env: Environment) -> dict[str, str]:
    resource = f"endpoint/{env.resolved_endpoint_name}/variant/AllTraffic"
    dimension = "sagemaker:variant:DesiredInstanceCount"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": dimension}


@pytest.fixture
def account() -> Account:
    later = Later()
    containers = {"huggingface-pytorch-tgi-inference": lambda: start}
    hosting.install(HostingSettings(interface_seconds=0.05), containers=containers, later=later)
    account = Account(fresh_account(), later)
    statement = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=trust)
    return account


@pytest.mark.parametrize("file", [{}, {"auto_scaling": SCALING, "data_capture": CAPTURE}, {"model_version": "2.1.0"}])
def test_endpoint_in_service_as_its_file_says_is_ready(account: Account, file: dict[str, Any]) -> None:
    account.deploy(**file)
    found = account.read(**file)
    assert (found["ready"], found["status"], found["differences"], found["not_checked"]) == (True, "InService", [], [])
    assert found["variants"] == [{"name": "AllTraffic", "current": 1, "desired": 1}]
    assert found["model"] == f"instruct {dev(**file).version.version}"


def test_every_edited_field_is_listed_by_its_name_in_the_file(account: Account) -> None:
    account.deploy(auto_scaling=SCALING, data_capture=CAPTURE)
    edited: dict[str, Any] = {
        "auto_scaling": {**SCALING, "max_instances": 4, "scale_in_cooldown_seconds": 60},
        "data_capture": {"sampling_percentage": 20},
        "detailed_observability": True,
        "instance": {"type": "ml.g5.4xlarge"},
        "model": "base",
        "endpoint_name": dev().resolved_endpoint_name,
        "tgi": {"MAX_CONCURRENT_REQUESTS": 64},
        "timeouts": {"container_startup_seconds": 900},
    }
    assert account.differences(**edited) == {
        "auto_scaling.max_instances": (3, 4),
        "auto_scaling.scale_in_cooldown_seconds": (300, 60),
        "data_capture.sampling_percentage": (10, 20),
        "data_capture.modes": (["Input"], ["Input", "Output"]),
        "detailed_observability": (False, True),
        "instance.type": ("ml.g5.2xlarge", "ml.g5.4xlarge"),
        "model, model_version": ("instruct 2.0.0", "base 2.1.0"),
        "tgi.MAX_CONCURRENT_REQUESTS": (None, "64"),
        "timeouts.container_startup_seconds": (1200, 900),
    }
    assert account.read(**edited)["ready"] is False


def test_what_was_turned_off_or_scaled_by_hand_differs(account: Account) -> None:
    account.deploy(data_capture=CAPTURE)
    weights = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=dev().resolved_endpoint_name, DesiredWeightsAndCapacities=weights
    )
    assert account.differences() == {
        "instance.count": (2, 1),
        "data_capture.sampling_percentage": (10, None),
        "data_capture.modes": (["Input"], None),
    }


def test_scaling_shows_bounds_policies_and_what_is_suspended(account: Account) -> None:
    account.deploy(auto_scaling=SCALING)
    found = account.read(auto_scaling=SCALING)
    assert (found["scaling"]["min"], found["scaling"]["max"]) == (1, 3)
    assert found["scaling"]["suspended"]["DynamicScalingInSuspended"] is True
    assert found["policies"] == [{"name": "in flight", "target": 20.0}]
    assert found["activities"] == []


BY_THE_HOUR = SCALING | {"schedule": [{"days": "daily", "at": "08:00", "min_instances": 2}]}


@pytest.mark.parametrize(("fewest", "ready"), [(1, True), (2, True), (3, False)])
def test_bounds_that_the_schedule_sets_are_no_difference(account: Account, fewest: int, ready: bool) -> None:
    account.deploy(auto_scaling=SCALING)
    scaling = account.client("application-autoscaling")
    scaling.register_scalable_target(**target(dev(auto_scaling=SCALING)), MinCapacity=fewest, MaxCapacity=3)
    found = account.read(auto_scaling=BY_THE_HOUR)
    assert (found["scaling"]["min"], found["ready"]) == (fewest, ready)


@pytest.mark.parametrize(("fewest", "office"), [(1, None), (2, None), (None, HOURS)])
def test_cost_of_what_runs_counts_the_hours_of_the_file(fewest: int | None, office: dict[str, str] | None) -> None:
    env = dev(auto_scaling=BY_THE_HOUR if fewest else None, office_hours=office)
    shown = fewest and {"min": fewest, "max": 3}
    document = {"variants": [{"desired": 1}], "instance_type": env.instance_type, "scaling": shown}
    assert estimate(as_deployed(env, document)).total.usd_per_month == estimate(env).total.usd_per_month


def test_update_in_progress_is_not_ready_and_shows_the_new_configuration(account: Account) -> None:
    account.deploy()
    account.later.held = True
    config = account.configure(dev(instance={"type": "ml.g5.4xlarge"}), "second")
    name = dev().resolved_endpoint_name
    account.client("sagemaker").update_endpoint(EndpointName=name, EndpointConfigName=config)
    found = account.read()
    assert (found["status"], found["ready"], found["pending"]["config"]) == ("Updating", False, "second")
    account.later.waiting.pop()()
    assert account.read(instance={"type": "ml.g5.4xlarge"})["pending"] is None


def test_failed_endpoint_has_its_reason(account: Account) -> None:
    account.deploy(tgi={"MAX_INPUT_LENGTH": 9000})  # more than MAX_TOTAL_TOKENS
    found = account.read(tgi={"MAX_INPUT_LENGTH": 9000})
    assert (found["status"], found["ready"]) == ("Failed", False)
    assert "did not pass the ping health check" in found["failure_reason"]


def test_failed_deployment_names_the_resource_and_the_reason(account: Account) -> None:
    policy = {"PolicyName": "a", "Roles": ["nobody"], "PolicyDocument": {"Statement": []}}
    account.stack(Policy={"Type": "AWS::IAM::Policy", "Properties": policy}, Topic={"Type": "AWS::SNS::Topic"})
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        account.client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 0.01}
        )
    found = account.read()
    assert (found["status"], found["ready"]) == (None, False)
    assert found["stack"]["status"] == "ROLLBACK_COMPLETE"
    assert [one["resource"] for one in found["events"]] == ["Policy"]
    assert "nobody" in found["events"][0]["reason"]


def test_nothing_is_deployed_without_endpoint_and_stack(account: Account) -> None:
    assert read_status(account.client, dev()) is None


def test_load_of_the_last_minutes_is_read_in_seconds(account: Account) -> None:
    account.deploy()
    now = datetime.now(UTC).replace(minute=58, second=0, microsecond=0)
    for age, latency in ((timedelta(minutes=4), 2_000_000.0), (timedelta(minutes=30), 9_000_000.0)):
        account.measure("Invocations", [1.0, 1.0], now - age)
        account.measure("Invocation4XXErrors", [1.0, 0.0], now - age)
        account.measure("ModelLatency", [latency, latency, latency / 2], now - age)
        account.measure("ConcurrentRequestsPerModel", [1.0, 3.0], now - age)
    [period] = account.read(now)["load"]
    start = period.pop("from")
    assert datetime.fromisoformat(start) == now.replace(minute=50)
    assert period == {
        "requests": 2.0,
        "errors_4xx": 1.0,
        "errors_5xx": None,
        "latency_p50_s": 2.0,
        "latency_p95_s": 2.0,
        "most_in_flight": 3.0,
    }


def test_minutes_with_nothing_in_flight_are_no_load(account: Account) -> None:
    account.deploy()
    now = datetime.now(UTC)
    account.measure("ConcurrentRequestsPerModel", [0.0], now - timedelta(minutes=4))
    assert account.read(now)["load"] == []


def test_the_last_minutes_are_those_of_the_clock_that_metrics_have(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.deploy()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr("mistral7b.operate.status.clock", lambda: (ahead, 20.0))
    account.measure("Invocations", [1.0], ahead - timedelta(minutes=4))
    status = account.read()
    assert [period["requests"] for period in status["load"]] == [1.0]
    assert status["speed"] == 20


@pytest.mark.parametrize(
    ("denied", "action", "ready"),
    [
        ("describe_endpoint", "sagemaker:DescribeEndpoint", None),
        ("describe_endpoint_config", "sagemaker:DescribeEndpointConfig", None),
        ("describe_model", "sagemaker:DescribeModel", None),
        ("describe_scalable_targets", "application-autoscaling:DescribeScalableTargets", None),
        ("describe_scaling_policies", "application-autoscaling:DescribeScalingPolicies", None),
        ("describe_scaling_activities", "application-autoscaling:DescribeScalingActivities", True),
        ("get_metric_data", "cloudwatch:GetMetricData", True),
        ("describe_stacks", "cloudformation:DescribeStacks", True),
    ],
)
def test_denied_part_is_not_checked_and_the_rest_is(
    account: Account, denied: str, action: str, ready: bool | None
) -> None:
    account.deploy(auto_scaling=SCALING)
    account.denied = (denied,)
    found = account.read(auto_scaling=SCALING)
    assert (found["not_checked"], found["differences"], found["ready"]) == ([action], [], ready)
    assert (found["scaling"] is None) is (denied == "describe_scalable_targets")


def test_every_action_is_named_in_the_help(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.deploy(auto_scaling=SCALING)
    account.stack(Topic={"Type": "AWS::SNS::Topic"})
    asked: set[str] = set()

    def client(service: str) -> Any:
        found = moto_app.client(service, account.number, REGION)
        found.meta.events.register("before-call", note(service))
        return found

    def note(service: str) -> Callable[..., None]:
        return lambda model, **_: asked.add(f"{service}:{model.name}")

    read_status(client, dev())
    assert len(asked) >= 8
    told = Path(command.__file__).with_name("help").joinpath("status.md").read_text()
    for action in asked:
        service, operation = action.split(":")
        assert re.search(rf"`{service}:", told)
        assert re.search(rf"[`:]{operation}`", told)
