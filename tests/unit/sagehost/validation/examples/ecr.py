"""ECR."""

from typing import Any

Json = dict[str, Any]
EXAMPLES: dict[str, tuple[str, Json, Json, Json]] = {
    "lifecycle": (
        "PutLifecyclePolicy",
        {"repositoryName": "r"},
        {"lifecyclePolicyText": "x" * 100},
        {"lifecyclePolicyText": '{"rules": [{"rulePriority": 1}, {"rulePriority": 2}]}'},
    )
}
