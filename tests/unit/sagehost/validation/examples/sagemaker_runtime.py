"""The SageMaker runtime."""

from tests.unit.sagehost.validation.examples import Cases, Json

CALL: Json = {"EndpointName": "endpoint", "Body": "{}"}
EXAMPLES: Cases = {
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
