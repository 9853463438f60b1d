"""An environment's stack through changes of its file that move or rename things: forth, back, and rolled back."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError

from mistral7b.environment import Environment
from mistral7b_stacks.stage import EnvironmentStage
from sagehost import policies
from sagehost.cloudformation.store import Stack
from tests.unit.sagehost.cloudformation.conftest import Account
from tests.variants import ENVIRONMENTS, new_app

STACK, CALLER = "mistral-7b-moving-endpoint", "application"
PARAMETER = "/mistral7b/moving/endpoint-name"
ZONES = ["use1-az1", "use1-az2"]
Values = dict[str, Any]
OFFICE_HOURS: Values = {"office_hours": {"time_zone": "Europe/Berlin", "weekdays": "08:00-19:00"}}
SCALING: Values = {"auto_scaling": {"min_instances": 1, "max_instances": 2}}


def own(*zones: str, cidr: str = "10.0.0.0/16", **values: Any) -> Values:
    return {"network": {"vpc": {"availability_zones": list(zones), "cidr": cidr}}, **values}


def existing(account: Account) -> Values:
    """A VPC that exists already, with everything that an environment asks of one."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZoneId=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(ZONES)
    ]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ids = {"vpc_id": vpc, "subnet_ids": subnets, "route_table_ids": [table]}
    return {"network": {"existing_vpc": {**ids, "availability_zones": ZONES, "cidr": "10.9.0.0/16"}}}


# The variant with every optional field, with the VPC, name and caller of these tests, and nothing retained.
EVERY_OPTION: Values = ENVIRONMENTS["everything"].model_dump(
    by_alias=True, exclude={"name", "account", "endpoint_name", "network", "callers", "operators", "removal"}
)
IN_ONE_VPC: Mapping[str, tuple[Values, Values]] = {
    "a zone is exchanged": (own(*ZONES), own("use1-az1", "use1-az4")),
    "another name": (own(*ZONES, **SCALING), own(*ZONES, **SCALING, endpoint_name="chat")),
    "another model": (own(*ZONES), own(*ZONES, model="base", endpoint_name="mistral-7b-instruct-moving")),
    "office hours": (own(*ZONES), own(*ZONES, **OFFICE_HOURS)),
    "another name at office hours": (own(*ZONES, **OFFICE_HOURS), own(*ZONES, **OFFICE_HOURS, endpoint_name="chat")),
    "every option": (own(*ZONES), own(*ZONES, **EVERY_OPTION)),
}
"""Before and after."""
TO_ANOTHER_VPC: Mapping[str, Callable[[Account], Values]] = {
    "another range, and names of zones instead of ids": lambda _: own("us-east-1a", "us-east-1b", cidr="10.1.0.0/16"),
    "an existing VPC": existing,
}


def template(account: Account, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the CDK makes of such a file."""
    shared = {
        "name": "moving",
        "account": account.id,
        "region": account.region,
        "callers": {"role_names": [CALLER]},
        "compliance_packs": [],
        "removal": {"captured_data": "destroy"},
    }
    stage = EnvironmentStage(new_app(), environment=Environment.model_validate({**shared, **values}))
    found = Template.from_stack(stage.endpoint).to_json()
    return {"resources": found["Resources"], "Outputs": found["Outputs"]}


def broken(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same with a container that does not start, which no file could say."""
    changed = copy.deepcopy(dict(body))
    [model] = [r for r in changed["resources"].values() if r["Type"] == "AWS::SageMaker::Model"]
    model["Properties"]["PrimaryContainer"]["Environment"]["MAX_INPUT_LENGTH"] = "8192"
    return changed


def failures(account: Account) -> list[Any]:
    return [event for event in account.events(STACK) if event[1].endswith("FAILED")]


def kept(account: Account) -> str:
    """What there is, without what is made anew in place of an equal one: interfaces, and the ACL's associations."""
    shown = account.inventory()
    shown.pop("ec2.describe_network_interfaces")
    for subnet in shown["ec2.describe_subnets"]["Subnets"]:
        subnet.pop("AvailableIpAddressCount")
    for endpoint in shown["ec2.describe_vpc_endpoints"]["VpcEndpoints"]:
        endpoint.pop("NetworkInterfaceIds", None)
    return json.dumps(shown, sort_keys=True, default=str)


class Callers:
    """Callers in one VPC, who ask what the parameter names at each event of the stack."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._vpc = account.outputs(STACK)["VpcId"]
        self.shut_out: list[str] = []
        self.until_clean_up = True
        """Nobody was shut out before the stack began to clear up."""

    def ask(self, event: str, stack: Stack) -> None:
        if stack.account == self._account.id and "UPDATE" in stack.status and (reason := self._refusal()):
            self.shut_out.append(f"{event}: {reason}")
            self.until_clean_up &= "CLEANUP" in stack.status

    def _refusal(self) -> str:
        """Why a request would not arrive; empty if it would."""
        name = self._account.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        try:
            arn = self._account.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointArn"]
        except ClientError:
            return f"there is no endpoint {name}"
        filters = [{"Name": "vpc-id", "Values": [self._vpc]}, {"Name": "service-name", "Values": [RUNTIME]}]
        ways = self._account.client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
        if not any(self._allow([way["PolicyDocument"]], arn) for way in ways if way["PrivateDnsEnabled"]):
            return f"no interface endpoint of {self._vpc} lets {name} pass"
        iam = self._account.client("iam")
        documents = [
            iam.get_role_policy(RoleName=CALLER, PolicyName=one)["PolicyDocument"]
            for one in iam.list_role_policies(RoleName=CALLER)["PolicyNames"]
        ]
        return "" if self._allow(documents, arn) else f"no policy of the role is about {name}"

    def _allow(self, documents: list[Any], arn: str) -> bool:
        found = [statement for document in documents for statement in policies.statements(document)]
        action = "sagemaker:InvokeEndpoint"
        return bool(policies.allows(found, action, lambda one: policies.on_resource(one, arn), {}))


RUNTIME = "com.amazonaws.us-east-1.sagemaker.runtime"


@pytest.fixture
def moving(account: Account) -> Account:
    """An account with a caller's role."""
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account.id}}]}
    account.client("iam").create_role(RoleName=CALLER, AssumeRolePolicyDocument=json.dumps(trust))
    return account


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Account], Callers]:
    def watch(account: Account) -> Callers:
        callers, event = Callers(account), Stack.event

        def seen(self: Stack, resource: Any, status: str, *reason: str) -> None:
            event(self, resource, status, *reason)
            callers.ask(f"{resource.logical_id} {status}", self)

        monkeypatch.setattr(Stack, "event", seen)
        return callers

    return watch


def forth_and_back(account: Account, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Rolls the change back, makes it, and takes it back."""
    first = kept(account)
    assert account.update(STACK, **broken(after)) == "UPDATE_ROLLBACK_COMPLETE", failures(account)
    assert kept(account) == first
    assert account.update(STACK, **after) == "UPDATE_COMPLETE", failures(account)
    assert account.update(STACK, **before) == "UPDATE_COMPLETE", failures(account)
    assert {logical_id for logical_id, status, _ in failures(account) if status == "DELETE_FAILED"} == set()


@pytest.mark.parametrize("change", IN_ONE_VPC)
def test_a_change_works_forth_back_and_rolled_back_shuts_nobody_out_and_leaves_nothing(
    change: str, moving: Account, watched: Callable[[Account], Callers]
) -> None:
    empty = kept(moving)
    before, after = (template(moving, values) for values in IN_ONE_VPC[change])
    assert moving.create(STACK, **before) == "CREATE_COMPLETE", failures(moving)
    callers = watched(moving)
    forth_and_back(moving, before, after)
    assert callers.shut_out == []
    assert moving.delete(STACK) == "DELETE_COMPLETE"
    assert kept(moving) == empty


@pytest.mark.parametrize("change", TO_ANOTHER_VPC)
def test_a_move_to_another_vpc_works_and_callers_of_the_old_one_have_it_until_the_end(
    change: str, moving: Account, watched: Callable[[Account], Callers]
) -> None:
    later = TO_ANOTHER_VPC[change](moving)
    empty = kept(moving)
    before, after = template(moving, own(*ZONES)), template(moving, later)
    assert moving.create(STACK, **before) == "CREATE_COMPLETE", failures(moving)
    callers = watched(moving)
    assert moving.update(STACK, **after) == "UPDATE_COMPLETE", failures(moving)
    assert callers.until_clean_up
    assert callers.shut_out
    forth_and_back(moving, after, before)
    assert moving.delete(STACK) == "DELETE_COMPLETE"
    assert kept(moving) == empty


def test_a_name_that_is_taken_shuts_nobody_out(moving: Account, watched: Callable[[Account], Callers]) -> None:
    before, after = (template(moving, values) for values in IN_ONE_VPC["another name"])
    assert moving.create(STACK, **before) == "CREATE_COMPLETE", failures(moving)
    sagemaker = moving.client("sagemaker")
    config = sagemaker.list_endpoint_configs()["EndpointConfigs"][0]["EndpointConfigName"]
    sagemaker.create_endpoint(EndpointName="chat", EndpointConfigName=config)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="chat", WaiterConfig={"Delay": 1})
    moving.client("logs").delete_log_group(logGroupName="/aws/sagemaker/Endpoints/chat")  # it would be refused before
    callers = watched(moving)
    assert moving.update(STACK, **after) == "UPDATE_ROLLBACK_COMPLETE"
    assert "already existing endpoint" in moving.reason(STACK, "UPDATE_FAILED")
    assert callers.shut_out == []
