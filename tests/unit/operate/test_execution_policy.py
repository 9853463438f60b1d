"""The embedded AWS deploys, updates and removes every template under its execution policy, and with less does not."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from mistral7b.container import start
from mistral7b.operate.execution_policy import _FACTS, documents
from mistral7b.operate.permissions import StackPolicies
from mistral7b_cli.demo.prerequisites import prerequisites
from sagehost import hosting, moto_app
from sagehost.cloudformation import engine
from sagehost.hosting.settings import HostingSettings
from tests.snapshot.test_templates import RECORDED
from tests.unit.fresh_accounts import fresh_account
from tests.unit.promotion.check.conftest import bootstrap
from tests.variants import ENVIRONMENTS, PROMOTIONS, REGIONS

pytestmark = pytest.mark.xdist_group("execution policy")  # what one worker has deployed shows what is needed

ROLE = "cfn-exec"
REFUSED = re.compile(r"not authorized to perform: (\S+) on")
CALLED: list[str] = _FACTS["called"]
COVERING: tuple[str, ...] = ("everything/endpoint", "archive/endpoint", "typical/pipeline", "variants/pipeline")
COVERING += ("variants/pipeline-eu-west-1",)
"""Templates that together call every action."""
OWNERS = {e.account for e in ENVIRONMENTS.values() if e.account} | {one.settings.account for one in PROMOTIONS.values()}
"""Accounts of the files, in whose place each template gets one of its own."""


def template(path: str, account: str) -> dict[str, Any]:
    name = f"test_template_matches_snapshot[{path.replace('/', '-')}].json"
    found: dict[str, Any] = json.loads(re.sub("|".join(OWNERS), account, (RECORDED / name).read_text()))
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
    denied: set[str] = field(default_factory=set)
    """Actions that the role may not do, whatever its policy says."""
    account: str = field(default_factory=fresh_account)

    def __post_init__(self) -> None:
        """Makes what the template requires, and the role."""
        self.region, (name, _, kind) = REGIONS[self.path], self.path.partition("/")
        self.stack = f"mistral-7b-{name}-{kind}" if name in ENVIRONMENTS else f"mistral-7b-{kind}"
        self.body = template(self.path, self.account)
        if name in ENVIRONMENTS:
            env, own = ENVIRONMENTS[name], ENVIRONMENTS[name].account or self.account
            list(prerequisites(env, self.account, self._prerequisite_client(own)))
            if env.artifact:
                _store(env.artifact.uri, self.account, self.region)
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
        self._deny()

    def _deny(self) -> None:
        deny = {"Effect": "Deny", "Action": sorted(self.denied) or "none:None", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        self.client("iam").put_role_policy(RoleName=ROLE, PolicyName="denied", PolicyDocument=document)

    def _prerequisite_client(self, own: str) -> Any:
        return lambda service, account, region: moto_app.client(service, self.account, region)

    def client(self, service: str) -> Any:
        return moto_app.client(service, self.account, self.region)

    def run(self) -> Iterator[str]:
        """Create, update and remove the stack; each action for lack of which that fails is allowed once it is known."""
        cfn, tags = self.client("cloudformation"), [{"Key": "owner", "Value": "search"}]
        stack = cfn.create_stack(StackName=self.stack, DisableRollback=True, **self._request(self.body))["StackId"]
        steps: tuple[tuple[dict[str, Any], list[Any]], ...] = (
            (self.body, []),
            (changed(self.body), tags),
            (self.body, []),
        )
        for number, (body, wanted) in enumerate(steps):
            request = {"StackName": self.stack, "DisableRollback": True, "Tags": wanted, **self._request(body)}
            if number:
                cfn.update_stack(**request)
            updated = number > 0
            while missing := self._missing(stack):
                yield missing
                cfn.update_stack(**request)
                updated = True
            assert self._status(stack) == ("UPDATE_COMPLETE" if updated else "CREATE_COMPLETE")
        cfn.delete_stack(StackName=self.stack, RoleARN=self.role)
        while missing := self._missing(stack):
            yield missing
            cfn.delete_stack(StackName=stack, RoleARN=self.role)
        assert self._status(stack) == "DELETE_COMPLETE"

    def _status(self, stack: str) -> str:
        return str(self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    def _missing(self, stack: str) -> str:
        """The action for lack of which the stack's operation has failed, which is allowed from now on."""
        if not self._status(stack).endswith("FAILED"):
            return ""
        resources = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        reasons = [one.get("ResourceStatusReason", "") for one in resources if one["ResourceStatus"].endswith("FAILED")]
        action = next(found[1] for found in map(REFUSED.search, reasons) if found)
        self.denied.remove(action)
        self._deny()
        return action

    def _request(self, body: dict[str, Any]) -> dict[str, Any]:
        bucket = f"templates-{self.account}"
        self.client("s3").put_object(Bucket=bucket, Key="template.json", Body=json.dumps(body))
        url = f"https://{bucket}.s3.{self.region}.amazonaws.com/template.json"
        return {"TemplateURL": url, "Capabilities": ["CAPABILITY_NAMED_IAM"], "RoleARN": self.role}


def _store(uri: str, account: str, region: str) -> None:
    """Weights, in a bucket of the account."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3 = moto_app.client("s3", account, region)
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != "us-east-1" else {}
    s3.create_bucket(Bucket=bucket, **where)
    s3.put_object(Bucket=bucket, Key=f"{key}config.json" if key.endswith("/") else key, Body=b"{}")


@pytest.fixture(scope="module", autouse=True)
def _embedded() -> Iterator[None]:
    containers = {"*tgi*": lambda: start}
    hosting.install(HostingSettings(endpoint_seconds=0, interface_seconds=0), containers=containers)
    linger, engine.LINGER_S = engine.LINGER_S, 60  # a request is answered when its operation is over
    yield
    engine.LINGER_S = linger


@pytest.fixture(scope="module")
def needed() -> set[str]:
    """The actions for lack of which a deployment, an update or a removal has failed.

    In the end each of the templates was deployed, updated and removed under its policy, less the actions not needed.
    """
    found = set[str]()
    for path in COVERING:
        found.update(Deployment(path, set(CALLED) - found).run())
    return found


@pytest.mark.parametrize("path", [path for path in REGIONS if path not in COVERING])
def test_every_other_template_is_deployed_updated_and_removed_under_its_policy(path: str) -> None:
    assert list(Deployment(path).run()) == []


@pytest.mark.parametrize("action", CALLED)
def test_without_a_proven_action_a_stack_operation_fails(action: str, needed: set[str]) -> None:
    assert action in needed
