"""The execution policy: the embedded AWS deploys, updates and removes every template under it, and with less does not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from mistral7b.container import start
from mistral7b.operate.execution_policy import documents
from mistral7b.operate.permissions import StackPolicies
from mistral7b_cli.demo.prerequisites import oidc_providers, prerequisites
from sagehost import hosting, moto_app, roles
from sagehost.cloudformation import engine
from sagehost.hosting.settings import HostingSettings
from tests.snapshot.test_templates import RECORDED
from tests.unit.fresh_accounts import fresh_account
from tests.unit.promotion.check.conftest import bootstrap
from tests.variants import ENVIRONMENTS, PROMOTIONS, REGIONS

ROLE = "cfn-exec"
OWNERS = {e.account for e in ENVIRONMENTS.values() if e.account} | {one.settings.account for one in PROMOTIONS.values()}
"""Accounts of the files, in whose place each template gets one of its own."""


def template(path: str) -> dict[str, Any]:
    name = f"test_template_matches_snapshot[{path.replace('/', '-')}].json"
    found: dict[str, Any] = json.loads((RECORDED / name).read_text())
    return found


def changed(value: Any, key: str = "") -> Any:
    """The value with every description, policy statement, count and period in it changed."""
    if isinstance(value, dict):
        made = {name: changed(part, name) for name, part in value.items()}
        return made | ({"Sid": f"{made.get('Sid', '')}2"} if "Effect" in made else {})
    if isinstance(value, list):
        return [changed(part, key) for part in value]
    if key == "Description" and isinstance(value, str):
        return f"{value[:200]}."
    return {"InitialInstanceCount": 2, "RetentionInDays": 30, "MaxCapacity": 9, "TimeoutInMinutes": 77}.get(key, value)


@dataclass
class Deployment:
    """A template in an account of its own, and a role that deploys it."""

    path: str
    less: str = ""
    """Action that the role may not do."""
    account: str = field(default_factory=fresh_account)

    def __post_init__(self) -> None:
        """Makes what the template requires, and the role."""
        self.region, (name, _, kind) = REGIONS[self.path], self.path.partition("/")
        self.stack = f"mistral-7b-{name}-{kind}" if name in ENVIRONMENTS else f"mistral-7b-{kind}"
        self.body = template(self.path)
        if name in ENVIRONMENTS:
            env, own = ENVIRONMENTS[name], ENVIRONMENTS[name].account or self.account
            list(prerequisites(env, self.account, self._prerequisite_client(own)))
        where = {"CreateBucketConfiguration": {"LocationConstraint": self.region}} if self.region != "us-east-1" else {}
        self.client("s3").create_bucket(Bucket=f"templates-{self.account}", **where)
        if kind == "endpoint":
            self.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="33", Type="String")
        else:  # the pipeline's templates name the deploy roles of every place
            for region in {self.region, *(e.region for one in PROMOTIONS.values() for e in one.environments)}:
                bootstrap(self.account, region=region)
        stack = StackPolicies(self.path, self.body["Resources"], {}, {}, self.stack, self.account, self.region)
        iam = self.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudformation.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for number, one in enumerate(documents([stack])):
            arn = iam.create_policy(PolicyName=f"deploy-{number}", PolicyDocument=json.dumps(one))["Policy"]["Arn"]
            iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
        self.deny(self.less)

    def deny(self, action: str) -> None:
        if action:
            deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
            self.client("iam").put_role_policy(RoleName=ROLE, PolicyName="less", PolicyDocument=document)

    def _prerequisite_client(self, own: str) -> Any:
        return lambda service, account, region: moto_app.client(service, self.account, region)

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.account, self.region)

    def create(self) -> str:
        made = self.client("cloudformation").create_stack(StackName=self.stack, **self._request(self.body))
        return self.ended(made["StackId"])

    def update(self, body: dict[str, Any], **options: Any) -> str:
        made = self.client("cloudformation").update_stack(StackName=self.stack, **self._request(body), **options)
        return self.ended(made["StackId"])

    def delete(self) -> str:
        stack = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]["StackId"]
        self.client("cloudformation").delete_stack(StackName=self.stack, RoleARN=self.role)
        return self.ended(stack)

    def _request(self, body: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(body)
        for account in OWNERS:
            text = text.replace(account, self.account)
        bucket = f"templates-{self.account}"
        self.client("s3").put_object(Bucket=bucket, Key="template.json", Body=text)
        url = f"https://{bucket}.s3.{self.region}.amazonaws.com/template.json"
        return {"TemplateURL": url, "Capabilities": ["CAPABILITY_NAMED_IAM"], "RoleARN": self.role}

    def ended(self, stack: str) -> str:
        """The status that the stack has in the end, with the reasons of what failed."""
        cfn = self.client("cloudformation")
        events = cfn.describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [one.get("ResourceStatusReason", "") for one in events if one["ResourceStatus"].endswith("FAILED")]
        return "\n".join([cfn.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"], *reasons])


@pytest.fixture(scope="module", autouse=True)
def _embedded() -> Iterator[None]:
    containers = {"huggingface-pytorch-tgi-inference": lambda: start}
    hosting.install(HostingSettings(endpoint_seconds=0, interface_seconds=0), containers=containers)
    linger, engine.LINGER_S = engine.LINGER_S, 60  # a request is answered when its operation is over
    yield
    engine.LINGER_S = linger


@pytest.mark.parametrize("path", REGIONS)
def test_every_template_is_deployed_updated_and_removed_under_its_policy(path: str) -> None:
    deployment = Deployment(path)
    assert deployment.create() == "CREATE_COMPLETE"
    tagged = [{"Key": "owner", "Value": "search"}]
    assert deployment.update(changed(deployment.body), Tags=tagged) == "UPDATE_COMPLETE"
    assert deployment.update(deployment.body, Tags=[]) == "UPDATE_COMPLETE"
    assert deployment.delete() == "DELETE_COMPLETE"
