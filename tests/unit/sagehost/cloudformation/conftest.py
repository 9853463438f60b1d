"""Stacks in accounts of their own, in this process and without a socket."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from mistral7b.container import start
from sagehost import hosting, moto_app
from sagehost.cloudformation import engine
from sagehost.hosting.settings import HostingSettings
from sagehost.pipelines.store import RESOURCES
from tests.unit.fresh_accounts import fresh_account

REGION = "us-east-1"


class Account:
    """An account that nothing else uses."""

    def __init__(self, region: str = REGION) -> None:
        self.id = fresh_account()
        self.region = region

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.id, self.region)

    @property
    def cfn(self) -> Any:
        return self.client("cloudformation")

    def stack(self, name: str) -> dict[str, Any]:
        (described,) = self.cfn.describe_stacks(StackName=name)["Stacks"]
        return dict(described)

    def status(self, name: str) -> str:
        return str(self.stack(name)["StackStatus"])

    def outputs(self, name: str) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self.stack(name)["Outputs"]}

    def create(self, name: str, resources: Mapping[str, Any], **options: Any) -> str:
        """Create a stack and give its status once it has one."""
        made = self.cfn.create_stack(StackName=name, **_request(resources, options))
        return self.status(made["StackId"])

    def deploy(self, name: str, resources: Mapping[str, Any], **options: Any) -> None:
        """Create a stack that has to succeed."""
        if self.create(name, resources, **options) != "CREATE_COMPLETE":
            pytest.fail(f"{name} was not created: {[e for e in self.events(name) if e[1].endswith('FAILED')]}")

    def update(self, name: str, resources: Mapping[str, Any], **options: Any) -> str:
        self.cfn.update_stack(StackName=name, **_request(resources, options))
        return self.status(name)

    def delete(self, name: str, **options: Any) -> str:
        stack_id = self.stack(name)["StackId"]
        self.cfn.delete_stack(StackName=name, **options)
        return self.status(stack_id)

    def change_set(
        self, name: str, resources: Mapping[str, Any], kind: str = "UPDATE", **options: Any
    ) -> dict[str, Any]:
        """Create a change set and describe it."""
        request = {"StackName": name, "ChangeSetName": "changes"}
        self.cfn.create_change_set(**request, ChangeSetType=kind, **_request(resources, options))
        return dict(self.cfn.describe_change_set(**request))

    def events(self, name: str) -> list[tuple[str, str, str | None]]:
        """Logical id, status and reason of every event, oldest first."""
        events = self.cfn.describe_stack_events(StackName=name)["StackEvents"]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason"))
            for event in reversed(events)
        ]

    def reason(self, name: str, status: str) -> str:
        """The reason of the newest event of this status."""
        return [reason or "" for _, found, reason in self.events(name) if found == status][-1]

    def physical_id(self, name: str, logical_id: str) -> str:
        detail = self.cfn.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    def inventory(self, services: Collection[str] = ()) -> dict[str, Any]:
        """Everything that these services, or all of them, show of this account, without times and request ids."""
        stored = {key[2]: dict(found) for key, found in RESOURCES.items() if key[0] == self.id and found}
        return stored | {
            f"{service}.{operation}": self._shown(service, operation, arguments)
            for service, operation, arguments in SHOWN
            if not services or service in services
        }

    def stored(self, resource_type: str) -> tuple[str, dict[str, Any]]:
        """The physical id and the properties of the one resource of a type that is stored only."""
        ((physical_id, properties),) = RESOURCES[self.id, self.region, resource_type].items()
        return physical_id, properties

    def _shown(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        client = self.client(service)
        shown = _stable(getattr(client, operation)(**arguments))
        for lister, argument, details in DETAILS.get(f"{service}.{operation}", ()):
            for item in shown[lister]:
                name = item if isinstance(item, str) else item[argument]
                item_details = {detail: _stable(getattr(client, detail)(**{key: name})) for detail, key in details}
                shown[f"{lister}.{name}"] = item_details
        return shown


SHOWN: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("ec2", "describe_vpcs", {}),
    ("ec2", "describe_subnets", {}),
    ("ec2", "describe_route_tables", {}),
    ("ec2", "describe_internet_gateways", {}),
    ("ec2", "describe_security_groups", {}),
    ("ec2", "describe_network_interfaces", {}),
    ("ec2", "describe_vpc_endpoints", {}),
    ("ec2", "describe_flow_logs", {}),
    ("ec2", "describe_network_acls", {}),
    ("iam", "list_roles", {}),
    ("iam", "list_policies", {"Scope": "Local"}),
    ("logs", "describe_log_groups", {}),
    ("logs", "describe_metric_filters", {}),
    ("sagemaker", "list_models", {}),
    ("sagemaker", "list_endpoint_configs", {}),
    ("sagemaker", "list_endpoints", {}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}),
    ("application-autoscaling", "describe_scaling_policies", {"ServiceNamespace": "sagemaker"}),
    ("cloudwatch", "describe_alarms", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
    ("cloudwatch", "list_dashboards", {}),
    ("sns", "list_topics", {}),
    ("sns", "list_subscriptions", {}),
    ("ssm", "describe_parameters", {}),
    ("kms", "list_aliases", {}),
    ("s3", "list_buckets", {}),
    ("ecr", "describe_repositories", {}),
    ("events", "list_rules", {}),
    ("scheduler", "list_schedules", {}),
    ("scheduler", "list_schedule_groups", {}),
    ("sqs", "list_queues", {}),
)

DETAILS: Mapping[str, Any] = {
    "iam.list_roles": [
        (
            "Roles",
            "RoleName",
            [("get_role", "RoleName"), ("list_role_policies", "RoleName"), ("list_attached_role_policies", "RoleName")],
        )
    ],
    "sns.list_topics": [("Topics", "TopicArn", [("get_topic_attributes", "TopicArn")])],
    "sagemaker.list_models": [("Models", "ModelName", [("describe_model", "ModelName")])],
    "sagemaker.list_endpoints": [("Endpoints", "EndpointName", [("describe_endpoint", "EndpointName")])],
    "ssm.describe_parameters": [("Parameters", "Name", [("get_parameter", "Name")])],
}

_VOLATILE = {
    "ResponseMetadata",
    "CreationTime",
    "CreationTimestamp",
    "LastModifiedTime",
    "LastModifiedDate",
    "CreationDate",
    "LastModificationDate",
    "Version",
    "RoleLastUsed",
    "AlarmConfigurationUpdatedTimestamp",
    "StateUpdatedTimestamp",
    "storedBytes",
    "RouteTableAssociationId",  # an association cannot exist twice, so a roll-back has to make it anew
}


def _stable(value: Any) -> Any:
    """`value` without what changes by itself or counts changes, and in one order."""
    if isinstance(value, dict):
        return {key: _stable(part) for key, part in value.items() if key not in _VOLATILE}
    if isinstance(value, list):
        return sorted((_stable(part) for part in value), key=lambda part: json.dumps(part, default=str, sort_keys=True))
    return value


TEMPLATE_SECTIONS = {"Conditions", "Mappings", "Outputs", "Rules", "Description", "Declared"}
"""Sections of a template among the options of a call; `Declared` is the template's Parameters, not the call's."""


def _request(resources: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    sections = {key: options.pop(key) for key in list(options) if key in TEMPLATE_SECTIONS}
    if "Declared" in sections:
        sections["Parameters"] = sections.pop("Declared")
    body = json.dumps({"Resources": resources, **sections})
    return {"TemplateBody": body, "Capabilities": ["CAPABILITY_NAMED_IAM"], **options}


@pytest.fixture(scope="session", autouse=True)
def _hosting() -> None:
    engine.LINGER_S = 60  # each request is answered when its operation is over, however busy the machine is
    containers = {"*tgi*": lambda: start}
    hosting.install(HostingSettings(endpoint_seconds=0, interface_seconds=0.1), containers=containers)


@pytest.fixture(autouse=True)
def _whole_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is answered when its operation is over, however slow the machine; what cannot be deleted fails soon."""
    monkeypatch.setattr(engine, "LINGER_S", 60)
    monkeypatch.setenv("SAGEHOST_DEPENDENCY_SECONDS", "1")


@pytest.fixture
def account() -> Account:
    return Account()
