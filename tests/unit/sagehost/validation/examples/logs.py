"""CloudWatch Logs."""

from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json, of

TRANSFORMATION: Json = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
FILTER: Json = {
    "logGroupName": "group",
    "filterName": "f",
    "filterPattern": '"no permits" ERROR',
    "metricTransformations": [TRANSFORMATION],
}


def _metric(**changes: Any) -> Json:
    return {"metricTransformations": [{**TRANSFORMATION, **changes}]}


def _key(name: str) -> Json:
    return {"logGroupName": "new", "kmsKeyId": f"arn:aws:kms:us-east-1:$account:key/${name}"}


EXAMPLES: Cases = of(
    "PutMetricFilter",
    FILTER,
    {
        "unknown group": ({"logGroupName": "none"}, {}),
        "pattern": ({"filterPattern": "{ $.level"}, {"filterPattern": "ERROR"}),
        "value": (_metric(metricValue="one"), _metric(metricValue="1.5")),
        "default with dimensions": (_metric(dimensions={"a": "$$.a"}, defaultValue=0), _metric(defaultValue=0)),
        "pattern of JSON": ({"filterPattern": '{ $.level = "ERROR" }'}, {"filterPattern": ""}),
        "one of two terms": ({"filterPattern": "?ERROR ?WARN"}, {"filterPattern": "ERROR WARN"}),
        "value of a field": (_metric(metricValue="$$.size"), {}),
        "dimensions": (_metric(dimensions={"a": "$$.a"}), {}),
        "default value": (_metric(defaultValue=1.0), _metric(defaultValue=0.0)),
        "transformed logs": ({"applyOnTransformedLogs": True}, {"applyOnTransformedLogs": False}),
    },
) | {
    "retention": ("PutRetentionPolicy", {"logGroupName": "group"}, {"retentionInDays": 2}, {"retentionInDays": 3}),
    "reserved group": ("CreateLogGroup", {}, {"logGroupName": "aws/x"}, {"logGroupName": "/aws/x"}),
    "resource policy": (
        "PutResourcePolicy",
        {"policyName": "p"},
        {"policyDocument": "{"},
        {
            "policyDocument": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", '
            '"Principal": {"Service": "events.amazonaws.com"}, "Resource": "*"}]}'
        },
    ),
}
EXAMPLES |= of(
    "CreateLogGroup",
    {"logGroupName": "new"},
    {
        "deleted key": (_key("deleted_key"), _key("key_of_logs")),
        "asymmetric key": (_key("asymmetric_key"), {}),
        "key for others": (_key("key"), _key("key_of_logs")),
    },
)
EXAMPLES["key for queries"] = "AssociateKmsKey", _key("key_of_logs"), {"logGroupName": None}, {"logGroupName": "group"}
