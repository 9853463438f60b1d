"""KMS."""

import json

from tests.unit.sagehost.validation.examples import Cases, Json, of

OWNER: Json = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::$account:root"},
    "Action": "kms:*",
    "Resource": "*",
}
OTHER: Json = {**OWNER, "Principal": {"AWS": "arn:aws:iam::444455556666:root"}}
NOBODY: Json = {**OWNER, "Principal": {"AWS": "arn:aws:iam::$account:role/none"}}


def _policy(*statements: Json) -> Json:
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


EXAMPLES: Cases = of(
    "CreateKey",
    {},
    {
        "policy that is no JSON": ({"Policy": "{"}, _policy(OWNER)),
        "policy without its caller": (_policy(OTHER), _policy(OWNER, OTHER)),
        "principal that does not exist": (_policy(OWNER, NOBODY), _policy(OWNER)),
        "reserved tag": (
            {"Tags": [{"TagKey": "aws:x", "TagValue": "1"}]},
            {"Tags": [{"TagKey": "x", "TagValue": "1"}]},
        ),
    },
) | {
    "reserved alias": ("CreateAlias", {"TargetKeyId": "$key"}, {"AliasName": "alias/aws/x"}, {"AliasName": "alias/x"}),
    "waiting time": (
        "ScheduleKeyDeletion",
        {"KeyId": "$key"},
        {"PendingWindowInDays": 6},
        {"PendingWindowInDays": 7},
    ),
    "deleted key": ("EnableKeyRotation", {}, {"KeyId": "$deleted_key"}, {"KeyId": "$key"}),
}
