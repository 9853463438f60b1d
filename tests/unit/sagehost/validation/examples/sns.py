"""SNS."""

from tests.unit.sagehost.validation.examples import Cases, Json, of

TOPIC: Json = {"TopicArn": "arn:aws:sns:us-east-1:$account:alarms"}
EMAIL: Json = {**TOPIC, "Protocol": "email", "Endpoint": "a@example.com"}
EXAMPLES: Cases = of(
    "Subscribe",
    EMAIL,
    {
        "protocol": ({"Protocol": "fax"}, {}),
        "address": ({"Endpoint": "nobody"}, {}),
        "address without scheme": (
            {"Protocol": "https", "Endpoint": "http://example.com"},
            {"Protocol": "https", "Endpoint": "https://example.com"},
        ),
        "no function": (
            {"Protocol": "lambda", "Endpoint": "function"},
            {"Protocol": "lambda", "Endpoint": "arn:aws:lambda:us-east-1:$account:function:f"},
        ),
        "filter policy": ({"Attributes": {"FilterPolicy": "{"}}, {"Attributes": {"FilterPolicy": '{"a": ["b"]}'}}),
        "FIFO queue": (
            {"Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:$account:q.fifo"},
            {"Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:$account:q"},
        ),
    },
) | {
    "unknown attribute": (
        "SetTopicAttributes",
        {**TOPIC, "AttributeValue": "alarms"},
        {"AttributeName": "Name"},
        {"AttributeName": "DisplayName"},
    ),
    "policy that is no JSON": (
        "SetTopicAttributes",
        {**TOPIC, "AttributeName": "Policy"},
        {"AttributeValue": "{"},
        {"AttributeName": "DisplayName", "AttributeValue": "{"},
    ),
    "new topic's policy": ("CreateTopic", {"Name": "t"}, {"Attributes": {"Policy": "{"}}, {}),
    "new topic's attribute": (
        "CreateTopic",
        {"Name": "t"},
        {"Attributes": {"Name": "t"}},
        {"Attributes": {"KmsMasterKeyId": "alias/x"}},
    ),
}
