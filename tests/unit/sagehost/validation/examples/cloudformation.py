"""CloudFormation."""

from tests.unit.sagehost.validation.examples import Cases, Json

STACK: Json = {"StackName": "stack", "TemplateBody": "{}"}

EXAMPLES: Cases = {
    "two answers to a failure": (
        "CreateStack",
        STACK,
        {"DisableRollback": False, "OnFailure": "DO_NOTHING"},
        {"OnFailure": "DO_NOTHING"},
    ),
    "template twice": ("CreateStack", STACK, {"TemplateURL": "https://s3.amazonaws.com/bucket/key"}, {}),
    "no template to summarize": ("GetTemplateSummary", {}, {}, {"StackName": "stack"}),
    "large template": ("ValidateTemplate", {}, {"TemplateBody": "é" * 25_601}, {"TemplateBody": "e" * 51_200}),
    "tag of AWS": ("CreateStack", STACK, {"Tags": [{"Key": "AWS:x", "Value": "1"}]}, {"Tags": [{"Key": "x"}]}),
    "tag twice": ("UpdateStack", STACK, {"Tags": [{"Key": "x", "Value": "1"}] * 2}, {}),
    "change set that imports": (
        "CreateChangeSet",
        {**STACK, "ChangeSetName": "first"},
        {"ChangeSetType": "IMPORT"},
        {"ChangeSetType": "UPDATE"},
    ),
    "time limit": ("CreateStack", STACK, {"TimeoutInMinutes": 5}, {"NotificationARNs": []}),
    "change set that leaves what has failed": (
        "CreateChangeSet",
        {**STACK, "ChangeSetName": "first"},
        {"OnFailure": "DO_NOTHING"},
        {"OnFailure": "ROLLBACK"},
    ),
}
