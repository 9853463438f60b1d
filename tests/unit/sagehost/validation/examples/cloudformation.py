"""CloudFormation."""

from tests.unit.sagehost.validation.examples import Cases, Json

STACK: Json = {"StackName": "stack", "TemplateBody": "{}"}
FIRST: Json = {**STACK, "ChangeSetName": "first", "ChangeSetType": "CREATE"}
COMPLETE: Json = {"StackName": "complete"}

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
        {**FIRST, "StackName": "complete"},
        {"ChangeSetType": "IMPORT"},
        {"ChangeSetType": "UPDATE"},
    ),
    "time limit": ("CreateStack", STACK, {"TimeoutInMinutes": 5}, {"NotificationARNs": []}),
    "change set that leaves what has failed": (
        "CreateChangeSet",
        FIRST,
        {"OnFailure": "DO_NOTHING"},
        {"OnFailure": "ROLLBACK"},
    ),
    "stack that exists": ("CreateStack", STACK, COMPLETE, {}),
    "change set to create what exists": ("CreateChangeSet", FIRST, COMPLETE, {}),
    "change set for no stack": ("CreateChangeSet", FIRST, {"ChangeSetType": "UPDATE"}, {}),
    "deletion of a protected stack": ("DeleteStack", COMPLETE, {"StackName": "arn:protected"}, {}),
    "deletion during an update": ("DeleteStack", COMPLETE, {"StackName": "updating"}, {}),
    "resources retained too early": ("DeleteStack", COMPLETE, {"RetainResources": ["Topic"]}, {}),
    "unknown resource retained": ("DeleteStack", {"StackName": "undeleted"}, {"RetainResources": ["Topic"]}, {}),
    "name of a stack": ("CreateChangeSet", FIRST, {"StackName": "my_stack"}, {"StackName": "my-stack"}),
}
