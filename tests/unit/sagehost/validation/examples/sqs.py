"""SQS."""

from tests.unit.sagehost.validation.examples import Cases

EXAMPLES: Cases = {
    name: ("CreateQueue", {"QueueName": "q"}, {"Attributes": refused}, {"Attributes": accepted})
    for name, (refused, accepted) in {
        "retention": ({"MessageRetentionPeriod": "59"}, {"MessageRetentionPeriod": "60"}),
        "visibility": ({"VisibilityTimeout": "43201"}, {"VisibilityTimeout": "43200"}),
        "delay": ({"DelaySeconds": "901"}, {"DelaySeconds": "900"}),
        "wait": ({"ReceiveMessageWaitTimeSeconds": "x"}, {"ReceiveMessageWaitTimeSeconds": "20"}),
        "policy": ({"Policy": "{"}, {}),
        "redrive": (
            {"RedrivePolicy": "{"},
            {"RedrivePolicy": '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:1:d", "maxReceiveCount": 1}'},
        ),
        "two encryptions": (
            {"SqsManagedSseEnabled": "true", "KmsMasterKeyId": "alias/x"},
            {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/x"},
        ),
        "unknown attribute": ({"Name": "q"}, {}),
    }.items()
}
