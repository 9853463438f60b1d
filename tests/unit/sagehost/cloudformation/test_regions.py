"""An environment's stack can be deployed in every partition's regions, as the CDK synthesizes it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_cdk.assertions import Template

from mistral7b.catalog import s3_prefix_list_id
from mistral7b.environment import Environment
from mistral7b_stacks.stage import EnvironmentStage
from tests.unit.sagehost.cloudformation.conftest import Account
from tests.variants import new_app


def everything(account: Account) -> dict[str, Any]:
    """A template of an environment that has all there is: callers, scaling, data capture."""
    values = {
        "name": "all",
        "account": account.id,
        "region": account.region,
        "callers": {"role_names": ["backend"]},
        "auto_scaling": {},
        "data_capture": {},
        "compliance_packs": [],
        "network": {"s3_prefix_list_id": s3_prefix_list_id(account.region) or "pl-0123abcd"},
    }
    stage = EnvironmentStage(new_app(), environment=Environment.model_validate(values))
    found = Template.from_stack(stage.endpoint).to_json()
    return {"resources": found["Resources"], "Outputs": found["Outputs"]}


@pytest.mark.parametrize(("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn")])
def test_an_environment_is_deployed_in_its_partition(region: str, partition: str) -> None:
    account = Account(region)
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    account.client("iam").create_role(RoleName="backend", AssumeRolePolicyDocument=trust)
    account.deploy("all", **everything(account))
    shown = json.dumps(account.inventory(), default=str)
    assert set(re.findall("arn:(aws[a-z-]*):", shown)) == {partition}
    assert account.delete("all") == "DELETE_COMPLETE"
