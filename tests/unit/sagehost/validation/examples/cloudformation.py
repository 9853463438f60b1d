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
    "time limit": ("CreateStack", STACK, {"TimeoutInMinutes": 5}, {"NotificationARNs": []}),
    "change set that leaves what has failed": (
        "CreateChangeSet",
        {**STACK, "ChangeSetName": "first"},
        {"OnFailure": "DO_NOTHING"},
        {"OnFailure": "ROLLBACK"},
    ),
}
