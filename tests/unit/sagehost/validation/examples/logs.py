"""CloudWatch Logs."""

from typing import Any

Json = dict[str, Any]
TRANSFORMATION = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
FILTER = {
    "logGroupName": "group",
    "filterName": "f",
    "filterPattern": '{ $.level = "ERROR" }',
    "metricTransformations": [TRANSFORMATION],
}


def _metric(**changes: Any) -> Json:
    return {"metricTransformations": [{**TRANSFORMATION, **changes}]}


EXAMPLES: dict[str, tuple[str, Json, Json, Json]] = {
    name: ("PutMetricFilter", FILTER, refused, accepted)
    for name, (refused, accepted) in {
        "unknown group": ({"logGroupName": "none"}, {}),
        "pattern": ({"filterPattern": "{ $.level"}, {"filterPattern": "ERROR"}),
        "value": (_metric(metricValue="one"), _metric(metricValue="$$.size")),
        "default with dimensions": (
            _metric(dimensions={"a": "$$.a"}, defaultValue=0),
            _metric(dimensions={"a": "$$.a"}),
        ),
    }.items()
} | {
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
