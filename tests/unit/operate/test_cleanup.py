"""What an environment leaves in its account, beside look-alikes of other projects: found, priced, deleted."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.container import start
from mistral7b.operate.cleanup import Findings, delete, look, monthly_usd
from mistral7b.operate.costs import prices
from mistral7b.operate.inventory import KINDS, Resource, inventory, names_of
from sagehost import hosting, moto_app
from sagehost.cloudformation import engine, steps
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.store import STORES
from sagehost.containers import Containers
from sagehost.hosting.settings import HostingSettings
from tests.unit.fresh_accounts import fresh_account
from tests.variants import ENVIRONMENTS

ENV = ENVIRONMENTS["everything"]
STACK = "mistral-7b-everything-endpoint"
RECORDED = Path(__file__).parents[2] / "snapshot" / "__snapshots__" / "test_templates"
_WRITTEN = (RECORDED / "test_template_matches_snapshot[everything-endpoint].json").read_text(encoding="utf-8")
BODY = json.dumps(json.loads(_WRITTEN), separators=(",", ":"))  # within what a request may hold: 51,200 bytes
RESOURCES = sorted(json.loads(BODY)["Resources"])
NOBODY = json.dumps({"Version": "2012-10-17", "Statement": []})
INVOKE = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"}]}
)
CONTAINERS: Containers = {"huggingface-pytorch-tgi-inference": lambda: start}
ALL_DATA = ["logs", "captured data"]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def resource_of(kind: str) -> dict[str, Any]:
    """The properties of the only resource of a type in the template."""
    [found] = [one["Properties"] for one in json.loads(BODY)["Resources"].values() if one["Type"] == kind]
    return dict(found)


class Account:
    """An account with the callers' roles, and all the ways in which a deployment leaves something in it."""

    def __init__(self) -> None:
        self.id = fresh_account()
        for role in (*ENV.callers.role_names, *ENV.operators.role_names):
            self.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=NOBODY)
        self.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.id, ENV.region)

    @property
    def cfn(self) -> Any:
        return self.client("cloudformation")

    def inventory(self) -> set[Resource]:
        """What there is, with the inline policies of the callers' roles."""
        policies = {
            Resource("inline policy", f"{name}|{role}")
            for role in (*ENV.callers.role_names, *ENV.operators.role_names)
            for name in self.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
        }
        return inventory(cast("boto3.Session", self)) | policies

    def deploy(self, stack: str = STACK, body: str = BODY, **options: Any) -> str:
        """Creates a stack; its status in the end."""
        capabilities = ["CAPABILITY_NAMED_IAM"]
        self.cfn.create_stack(StackName=stack, TemplateBody=body, Capabilities=capabilities, **options)
        return str(self.cfn.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    def look(self) -> Findings:
        return look(self.client, ENV)

    def delete(self, *data: str, patience_s: float = 10) -> list[str]:
        """What could not be deleted."""
        return delete(self.client, ENV, data, lambda _: None, patience_s=patience_s, pause_s=0.05)


@pytest.fixture(autouse=True)
def _embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    hosting.install(HostingSettings(endpoint_seconds=0, interface_seconds=0.1), containers=CONTAINERS)
    monkeypatch.setattr(engine, "LINGER_S", 60)
    monkeypatch.setenv("SAGEHOST_DEPENDENCY_SECONDS", "0.4")


@pytest.fixture
def account() -> Account:
    return Account()


@contextmanager
def failing(operation: str, logical_id: str) -> Iterator[None]:
    """Has the creation, or the deletion, of one resource of a stack fail."""
    original: Any = getattr(steps, operation)

    def fail(stack: Any, resource: Any, *arguments: Any) -> Any:
        if resource.logical_id != logical_id or stack.name != STACK:
            return original(stack, resource, *arguments)
        error = steps.fail(stack, resource, operation.upper(), ResourceFailure("aborted"))
        if operation == "create":
            raise error
        return False

    with patch.object(steps, operation, fail):
        yield


GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


def abort(account: Account, way: str, logical_id: str) -> None:
    """Leaves of the environment what an operation leaves that ends at this resource.

    `created`: a first deployment without roll-back. `rolled back`: one whose roll-back fails at the resource, too.
    `deleted`: a removal. `abandoned`: a removal that was then told to retain what it could not delete.
    """
    if way == "created":
        with failing("create", logical_id):
            account.deploy(OnFailure="DO_NOTHING")
        return
    if way == "rolled back":
        with failing("create", "EndpointNameParameter8E0D0A3A"), failing("delete", logical_id):
            account.deploy()
        return
    account.deploy()
    with failing("delete", logical_id):
        account.cfn.delete_stack(StackName=STACK)
    if way == "abandoned":
        stack = account.cfn.describe_stacks(StackName=STACK)["Stacks"]
        resources = account.cfn.describe_stack_resources(StackName=STACK)["StackResources"] if stack else []
        kept = [one["LogicalResourceId"] for one in resources if one["ResourceStatus"] not in GONE]
        account.cfn.delete_stack(StackName=STACK, RetainResources=kept)


def lookalikes(account: Account) -> None:
    """Resources of other projects, and of another environment, that have names like the environment's."""
    logs, iam, s3 = (account.client(service) for service in ("logs", "iam", "s3"))
    for name in ("/mistral7b/everything-2/vpc-flow-logs", "/aws/sagemaker/Endpoints/Chat-2"):
        logs.create_log_group(logGroupName=name)
    iam.create_role(RoleName=f"{STACK}-Role1ABCC5F0-OTHERPROJECT", AssumeRolePolicyDocument=NOBODY)
    iam.put_role_policy(RoleName="nightly-batch", PolicyName="invoke-Chat-eu-west-1", PolicyDocument=INVOKE)
    s3.create_bucket(Bucket=f"{STACK}-datacapturebucket-{account.id}")
    account.client("ssm").put_parameter(Name="/mistral7b/everything/other", Value="x", Type="String")
    account.client("kms").create_key(Description="Mistral 7B, everything: captured requests")
    named = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "everything/endpoint/Network/Vpc"}]}]
    account.client("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=named)
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/mistral7b/everything-other"}}
    body = json.dumps({"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}}}})
    account.deploy("mistral-7b-everything-2-endpoint", body)
    account.deploy(f"{STACK}-2", json.dumps({"Resources": {"Group": group}}))


@settings(max_examples=settings().max_examples // 12)
@given(way=st.sampled_from(["created", "rolled back", "deleted", "abandoned"]), at=st.sampled_from(RESOURCES))
def test_whatever_an_aborted_operation_leaves_is_deleted_and_lookalikes_stay(way: str, at: str) -> None:
    account = Account()
    lookalikes(account)
    before = account.inventory()
    abort(account, way, at)
    assert account.delete(*ALL_DATA) == []
    assert account.inventory() == before
    assert account.look() == Findings()


def test_every_resource_of_a_template_is_of_a_kind_that_is_looked_for_or_goes_with_another() -> None:
    recorded = (json.loads(file.read_text(encoding="utf-8"))["Resources"] for file in RECORDED.glob("*-endpoint?.json"))
    types = {one["Type"].removeprefix("AWS::") for resources in recorded for one in resources.values()}
    goes_with_another = {
        "ApplicationAutoScaling::ScalingPolicy",
        "EC2::SubnetRouteTableAssociation",
        "Logs::MetricFilter",
        "S3::BucketPolicy",
        "SNS::Subscription",
        "SNS::TopicPolicy",
        "SQS::QueuePolicy",
        "Scheduler::Schedule",
    }
    assert types - {kind.type for kind in KINDS.values()} == goes_with_another


def test_deployed_environment_leaves_nothing(account: Account) -> None:
    account.deploy()
    found = account.look()
    assert [(one.name, one.status) for one in found.in_use] == [(STACK, "CREATE_COMPLETE")]
    assert (found.left, found.left_alone, found.unchecked) == ([], [], [])


def test_retained_data_is_kept_unless_named_and_so_are_its_keys(account: Account) -> None:
    account.deploy()
    [bucket] = [b["Name"] for b in account.client("s3").list_buckets()["Buckets"] if "datacapturebucket" in b["Name"]]
    account.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    account.client("s3").delete_object(Bucket=bucket, Key="a")
    account.cfn.delete_stack(StackName=STACK)
    assert [failure.split(":")[0] for failure in account.delete()] == [f"cloudformation stack {STACK}"]
    assert [one.kind for one in account.look().left].count("key") == 3
    assert account.delete("captured data") == []
    assert [one.data or one.kind for one in account.look().left] == ["logs", "logs", "key", "key"]
    assert {one.why for one in account.look().left} == {
        "retained by removal.log_group",
        "retained by removal, with the data that it encrypts",
    }
    account.delete("logs")
    assert account.look() == Findings()


def test_endpoint_of_the_same_name_that_somebody_else_made_is_left_alone(account: Account) -> None:
    """A deployment that failed because the name was taken has not made what has the name."""
    sagemaker, iam = account.client("sagemaker"), account.client("iam")
    role = iam.create_role(RoleName="studio", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    container = resource_of("AWS::SageMaker::Model")["PrimaryContainer"]
    sagemaker.create_model(ModelName="studio", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "a", "ModelName": "studio", "InstanceType": "ml.g5.2xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="studio", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="Chat", EndpointConfigName="studio")
    before = account.inventory()
    assert account.deploy(OnFailure="DO_NOTHING") == "CREATE_FAILED"
    assert account.look().left_alone == ["Chat"]
    assert account.delete(*ALL_DATA) == []
    assert account.inventory() == before


def test_log_group_whose_name_was_taken_stays_somebody_elses_through_the_roll_back(account: Account) -> None:
    group, made = "/mistral7b/everything/vpc-flow-logs", datetime(2026, 1, 1, tzinfo=UTC)
    account.client("logs").create_log_group(logGroupName=group)
    stack = {"StackName": STACK, "CreationTime": made, "StackStatus": "ROLLBACK_COMPLETE"}
    event = {"StackId": "id", "StackName": STACK, "PhysicalResourceId": group, "ResourceType": "AWS::Logs::LogGroup"}
    taken = {"ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": f"Resource {group} already exists."}
    events = [
        {**event, "EventId": "2", "Timestamp": made + timedelta(seconds=2), "ResourceStatus": "DELETE_COMPLETE"},
        {**event, "EventId": "1", "Timestamp": made + timedelta(seconds=1), **taken},
    ]
    cfn = boto3.Session("key", "secret", region_name=ENV.region).client("cloudformation")
    stubber = Stubber(cfn)
    stubber.add_response("describe_stacks", {"Stacks": [stack]})
    stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id x does not exist")
    stubber.add_response("list_stacks", {"StackSummaries": [{**stack, "StackId": "id"}]})
    stubber.add_response("describe_stack_events", {"StackEvents": events})
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": []})
    with stubber:
        found = look(lambda service: cfn if service == "cloudformation" else account.client(service), ENV)
    assert [(one.kind, one.why) for one in found.left] == [("cloudformation stack", "ROLLBACK_COMPLETE")]


def test_resource_that_an_update_could_not_delete_is_left_beside_a_deployed_stack(account: Account) -> None:
    def vpc(cidr: str) -> str:
        return json.dumps({"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}}})

    account.deploy(body=vpc("10.0.0.0/16"))
    old = account.cfn.describe_stack_resources(StackName=STACK)["StackResources"][0]["PhysicalResourceId"]
    with failing("delete", "Vpc"):
        account.cfn.update_stack(StackName=STACK, TemplateBody=vpc("10.1.0.0/16"))
    assert [(one.kind, one.name, one.why) for one in account.look().left] == [("vpc", old, "not deleted: aborted")]


def test_what_cloudformation_has_forgotten_is_found_by_its_tag(account: Account) -> None:
    abort(account, "abandoned", "NetworkVpc7FB7348F")
    vars(STORES[account.id, ENV.region])["_stacks"].clear()
    assert [(one.kind, one.why) for one in account.look().left] == [
        ("vpc", "tagged by a stack that has no record of it")
    ]


def test_interface_of_somebody_else_is_not_touched_and_a_second_run_finishes(account: Account) -> None:
    before = account.inventory()
    abort(account, "created", "EndpointEEF1FD8F")
    ec2 = account.client("ec2")
    [group] = [one for one in account.look().left if one.kind == "security group"][:1]
    subnet = next(one.name for one in account.look().left if one.kind == "subnet")
    mine = ec2.create_network_interface(SubnetId=subnet, Groups=[group.name], Description="of a batch job")
    failures = account.delete(*ALL_DATA, patience_s=0.2)
    assert f"security group {group.name}: resource {group.name} has a dependent object" in failures
    assert {one.kind for one in account.look().left} >= {"security group", "subnet", "vpc"}
    ec2.delete_network_interface(NetworkInterfaceId=mine["NetworkInterface"]["NetworkInterfaceId"])
    assert account.delete(*ALL_DATA) == []
    assert account.inventory() == before


def test_role_stays_while_sagemaker_has_network_interfaces_to_remove_with_it(account: Account) -> None:
    """They stay for ever without the role's permissions (SageMaker API, DeleteEndpoint)."""
    before = account.inventory()
    hosting.install(HostingSettings(endpoint_seconds=0, interface_seconds=1), containers=CONTAINERS)
    abort(account, "abandoned", "EndpointNameParameter8E0D0A3A")
    failures = account.delete(*ALL_DATA, patience_s=0.1)
    assert any("SageMaker may need it to remove the network interfaces" in one for one in failures)
    assert account.delete(*ALL_DATA) == []
    assert account.inventory() == before


def test_monthly_costs_are_those_of_instances_zones_keys_and_storage(account: Account) -> None:
    account.deploy()
    bucket = "priced-" + account.id
    account.client("s3").create_bucket(Bucket=bucket)
    account.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x" * 2**20)

    def costs(kind: str, *names: str) -> list[float | None]:
        return [
            monthly_usd(account.client, ENV.region, kind, name)
            for name in names or names_of(account.client, KINDS[kind])
        ]

    count, zones = ENV.instance.count, len(ENV.availability_zones)
    assert costs("sagemaker endpoint") == [
        pytest.approx(count * prices(ENV.region)[0]["instance_hour"][ENV.instance_type] * 730)
    ]
    assert sorted(costs("vpc endpoint"), key=lambda usd: usd or 0) == [0, pytest.approx(zones * 7.30)]
    assert set(costs("key")) == {1.0}
    assert costs("bucket", bucket) == [pytest.approx(0.023 / 1024)]
    assert set(costs("role")) == {0.0}


def test_missing_permission_leaves_one_kind_unchecked(account: Account) -> None:
    abort(account, "abandoned", "NetworkVpc7FB7348F")
    queues = boto3.Session("key", "secret", region_name=ENV.region).client("sqs")
    message = "User: me is not authorized to perform: sqs:listqueues on resource: *"
    stubber = Stubber(queues)
    stubber.add_client_error("list_queues", "AccessDenied", message)
    with stubber:
        found = look(lambda service: queues if service == "sqs" else account.client(service), ENV)
    assert found.unchecked == ["queue: needs sqs:listqueues"]
    assert "vpc" in {one.kind for one in found.left}
