"""IAM."""

import json
from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json, of

TRUST: Json = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
READ: Json = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def _document(name: str, base: Json, **changes: Any) -> Json:
    kept = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return {name: json.dumps({"Version": "2012-10-17", "Statement": [kept]})}


def _trust(**changes: Any) -> Json:
    return _document("AssumeRolePolicyDocument", TRUST, **changes)


def _inline(**changes: Any) -> Json:
    return _document("PolicyDocument", READ, **changes)


ROLE: Json = {"RoleName": "new", **_trust()}
POLICY: Json = {"RoleName": "endpoint", "PolicyName": "p", **_inline()}
NOBODY: Json = {"Principal": {"AWS": "arn:aws:iam::$account:role/none"}}
EXAMPLES: Cases = (
    of(
        "CreateRole",
        ROLE,
        {
            "trust that is no JSON": ({"AssumeRolePolicyDocument": "{"}, {}),
            "trust without statements": ({"AssumeRolePolicyDocument": "{}"}, {}),
            "principal that does not exist": (_trust(**NOBODY), _trust(Principal={"AWS": "$role"})),
            "trust of nobody": (_trust(Principal=None), {}),
            "trust on a resource": (_trust(Resource="*"), {}),
            "trust of another action": (
                _trust(Action="s3:GetObject"),
                _trust(Action=["sts:AssumeRole", "sts:TagSession"]),
            ),
            "long trust": (_trust(Condition={"StringEquals": {"aws:x": "y" * 2048}}), {}),
            "name in another case": ({"RoleName": "Endpoint"}, {}),
            "reserved tag": ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, {"Tags": [{"Key": "x", "Value": "1"}]}),
        },
    )
    | of(
        "PutRolePolicy",
        POLICY,
        {
            "principal of an identity's policy": (_inline(Principal="*"), {}),
            "statement id": (_inline(Sid="a-b"), _inline(Sid="ab")),
            "long policy": (_inline(Resource="arn:aws:s3:::" + "x" * 10_240), {}),
        },
    )
    | of(
        "CreateServiceLinkedRole",
        {},
        {
            "role of scaling that is there": (
                {"AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"},
                {"AWSServiceName": "ecs.application-autoscaling.amazonaws.com"},
            )
        },
    )
)
