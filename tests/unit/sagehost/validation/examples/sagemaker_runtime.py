"""The SageMaker runtime."""

from typing import Any

Json = dict[str, Any]
CALL = {"EndpointName": "endpoint", "Body": "{}"}
EXAMPLES: dict[str, tuple[str, Json, Json, Json | None]] = {
    name: ("InvokeEndpoint", CALL, refused, {})
    for name, refused in {
        "model of a single-model endpoint": {"TargetModel": "a.tar.gz"},
        "inference component": {"InferenceComponentName": "component"},
        "container": {"TargetContainerHostname": "second"},
        "explanations": {"EnableExplanations": "`true`"},
    }.items()
} | {
    "unknown endpoint": ("InvokeEndpointAsync", CALL, {"EndpointName": "none"}, None),
    "asynchronous": ("InvokeEndpointAsync", CALL, {}, None),
}
