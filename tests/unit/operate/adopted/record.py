"""Records what the SageMaker Python SDK sends when a notebook deploys Mistral 7B, as requests.json beside this file.

The SDK cannot be in this project's lock: run it in an environment of its own, from the project's folder:

    python3 -m venv /tmp/sdk && /tmp/sdk/bin/pip install 'sagemaker==2.257.7'
    /tmp/sdk/bin/python tests/unit/operate/adopted/record.py

No request leaves the process: each is answered as if it was done. JumpStart's manifest and specifications
are files here, in the form in which JumpStart publishes them, with what mistral7b/catalog/jumpstart.json says.
"""

import json
import os
import runpy
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CATALOGUE = json.loads((HERE.parents[3] / "mistral7b/catalog/jumpstart.json").read_text(encoding="utf-8"))
BASE, INSTRUCT = CATALOGUE["models"]
ROLE = "arn:{}:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-20231010T120000"
RECORDED = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateInferenceComponent")
JSON = "application/json"


def notebooks() -> dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """By name: region, class, its arguments, and those of deploy."""
    components = import_module("sagemaker.enums").EndpointType.INFERENCE_COMPONENT_BASED
    requirements = import_module("sagemaker.compute_resource_requirements.resource_requirements")
    capture = import_module("sagemaker.model_monitor").DataCaptureConfig
    asynchronous = import_module("sagemaker.async_inference").AsyncInferenceConfig
    llm_image = import_module("sagemaker.huggingface").get_huggingface_llm_image_uri
    lmi_image = import_module("sagemaker.image_uris").retrieve
    two_copies = requirements.ResourceRequirements(requests={"copies": 2, "num_accelerators": 1, "memory": 24576})
    hub_image = llm_image("huggingface", region="us-east-1", version="1.1.0")
    hub = {"HF_MODEL_ID": "mistralai/Mistral-7B-Instruct-v0.1", "HUGGING_FACE_HUB_TOKEN": "hf_secret"}
    changed = {"MAX_CONCURRENT_REQUESTS": "64", "MAX_INPUT_LENGTH": "4096", "WAITING_SERVED_RATIO": "1.5"}
    bucket = "s3://bucket-of-research"
    vpc = {"Subnets": ["subnet-0000000a", "subnet-0000000b"], "SecurityGroupIds": ["sg-0000000c"]}
    older = {"model_id": INSTRUCT, "model_version": "2.0.0"}
    weights = f"s3://jumpstart-cache-prod-us-east-1/{CATALOGUE['models'][BASE][-1]['artifact_key']}"
    return {
        "announcement": ("us-east-1", "JumpStartModel", {"model_id": INSTRUCT, "model_version": "1.0.0"}, {}),
        "today": ("us-east-1", "JumpStartModel", {"model_id": INSTRUCT}, {}),
        "base": ("us-east-1", "JumpStartModel", {"model_id": BASE, "model_version": "2.1.0"}, {}),
        "china": ("cn-north-1", "JumpStartModel", {"model_id": BASE, "model_version": "2.1.0"}, {}),
        "four_gpus": ("eu-west-1", "JumpStartModel", {**older, "instance_type": "ml.g5.12xlarge"}, {}),
        "overridden": (
            "us-east-1",
            "JumpStartModel",
            {**older, "env": {**changed, "CUSTOM": "yes"}, "vpc_config": vpc},
            {
                "endpoint_name": "mistral-of-research",
                "instance_type": "ml.g5.4xlarge",
                "initial_instance_count": 2,
                "tags": [{"Key": "team", "Value": "research"}, {"Key": "cost-center", "Value": "0042"}],
                "model_data_download_timeout": 900,
                "container_startup_health_check_timeout": 1800,
                "data_capture_config": capture(True, 20, f"{bucket}/captured"),
            },
        ),
        "component": (
            "us-east-1",
            "JumpStartModel",
            {**older, "name": "mistral-in-a-component"},
            {
                "endpoint_name": "mistral-with-component",
                "endpoint_type": components,
                "resources": two_copies,
                "managed_instance_scaling": {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 3},
            },
        ),
        "asynchronous": (
            "us-east-1",
            "JumpStartModel",
            older,
            {"async_inference_config": asynchronous(output_path=f"{bucket}/done", failure_path=f"{bucket}/failed")},
        ),
        "hub": (
            "us-east-1",
            "HuggingFaceModel",
            {"env": hub, "image_uri": hub_image, "name": "mistral-of-the-hub", "code_location": bucket},
            {"instance_type": "ml.g5.2xlarge", "initial_instance_count": 1},
        ),
        "lmi": (
            "us-east-1",
            "Model",
            {
                "image_uri": lmi_image("djl-lmi", "us-east-1", "0.31.0"),
                "model_data": {"S3DataSource": {"S3Uri": weights, "S3DataType": "S3Prefix", "CompressionType": "None"}},
                "env": {"OPTION_ROLLING_BATCH": "vllm"},
            },
            {"instance_type": "ml.g5.2xlarge", "initial_instance_count": 1},
        ),
    }


def publish(folder: Path) -> None:
    """Writes the manifest and the specification of every version, for all regions."""
    form, manifest = runpy.run_path(str(HERE.parents[1] / "catalog" / "jumpstart_bucket.py")), []
    for model_id, version in ((model_id, one) for model_id, all_ in CATALOGUE["models"].items() for one in all_):
        gpus = {kind: own["SM_NUM_GPUS"] for kind, own in version["instance_environment"].items()}
        image = f"{CATALOGUE['image_repository']}:{version['image_tag']}"
        key = f"{model_id}-{version['version']}.json"
        spec = form["specification"](
            model_id,
            version["version"],
            image,
            gpus,
            hosting_prepacked_artifact_key=version["artifact_key"],
            default_inference_instance_type=version["default_instance_type"],
            supported_inference_instance_types=[*dict.fromkeys([*version["instance_types"], *gpus])],
            predictor_specs={
                **dict.fromkeys(("default_content_type", "default_accept_type"), JSON),
                "supported_content_types": [JSON],
                "supported_accept_types": [JSON],
            },
        )
        spec["hosting_instance_type_variants"]["regional_aliases"] = {
            region: {"gpu_ecr_uri_1": f"{account}.dkr.ecr.{region}.{_suffix(region)}/{image}"}
            for region, account in CATALOGUE["image_account_by_region"].items()
        }
        (folder / key).write_text(json.dumps(spec), encoding="utf-8")
        names = {"model_id": model_id, "version": version["version"], "spec_key": key}
        manifest.append({**names, "min_version": spec["min_sdk_version"]})
    (folder / "models_manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


class _Raw:
    """What urllib3 has of an answer."""

    def __init__(self, answer: dict[str, str]) -> None:
        self._answer = answer

    def stream(self) -> Iterator[bytes]:
        yield json.dumps(self._answer).encode()


def record(region: str, kind: str, arguments: dict[str, Any], deploy: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests of one notebook that create something, in their order."""
    sent: list[dict[str, Any]] = []

    def answer(request: Any, **_: Any) -> Any:
        target = request.headers.get("X-Amz-Target", b"").decode()
        assert target.startswith("SageMaker."), f"{request.method} {request.url} is no request to SageMaker"
        if (operation := target.removeprefix("SageMaker.")) in RECORDED:
            sent.append({operation: json.loads(request.body)})
        created = any("CreateEndpoint" in one for one in sent)
        if operation == "DescribeEndpoint" and not created:
            status, content = 400, {"__type": "ValidationException", "message": "Could not find endpoint"}
        else:
            arns = dict.fromkeys((one.replace("Create", "") + "Arn" for one in RECORDED), "arn:aws:x")
            status, content = 200, {**arns, "EndpointStatus": "InService"}
        return import_module("botocore.awsrequest").AWSResponse(request.url, status, {}, _Raw(content))

    boto_session = import_module("boto3").Session(region_name=region)
    boto_session.events.register("before-send", answer)
    quiet = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
    session = import_module("sagemaker").Session(boto_session, sagemaker_config=quiet)
    modules = {"JumpStartModel": "jumpstart.model", "HuggingFaceModel": "huggingface", "Model": "model"}
    role = ROLE.format("aws-cn" if region.startswith("cn-") else "aws")
    model = getattr(import_module(f"sagemaker.{modules[kind]}"), kind)(
        role=role, sagemaker_session=session, **arguments
    )
    model.deploy(wait=False, **deploy)
    return sent


def main() -> None:
    """Runs each notebook's lines in a session of its own, and writes what they sent."""
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder))
        os.environ |= {
            "AWS_JUMPSTART_MANIFEST_LOCAL_ROOT_DIR_OVERRIDE": folder,
            "AWS_JUMPSTART_SPECS_LOCAL_ROOT_DIR_OVERRIDE": folder,
            "AWS_ACCESS_KEY_ID": "recorder",
            "AWS_SECRET_ACCESS_KEY": "recorder",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        recorded = {name: record(*lines) for name, lines in notebooks().items()}
    text = json.dumps({"sdk": import_module("sagemaker").__version__, "recorded": recorded}, indent=1)
    (HERE / "requests.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
