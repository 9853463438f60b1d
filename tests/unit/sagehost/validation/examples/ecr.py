"""ECR."""

from tests.unit.sagehost.validation.examples import Cases

EXAMPLES: Cases = {
    "lifecycle": (
        "PutLifecyclePolicy",
        {"repositoryName": "r"},
        {"lifecyclePolicyText": "x" * 100},
        {"lifecyclePolicyText": '{"rules": [{"rulePriority": 1}, {"rulePriority": 2}]}'},
    )
}
