"""A manifest and specifications written by hand, in the form in which JumpStart publishes them.

The form is that of `sagemaker.jumpstart.types` in the SageMaker Python SDK 2.257 and of the SDK's own test data. What
they say is what the catalogue says of these versions, but for a version on an LMI container, which is made up.
"""

from typing import Any

REGIONS = {"cn-north-1": "727897471807", "me-central-1": "914824155844", "us-east-1": "763104351884"}
G5_SMALL = ["ml.g5.2xlarge", "ml.g5.4xlarge", "ml.g5.8xlarge", "ml.g5.16xlarge"]
PREPACK = "huggingface-llm/{}/artifacts/inference-prepack/{}/"
TGI = "huggingface-pytorch-tgi-inference:{}"


def variable(name: str, default: str | int, required: bool = True) -> dict[str, Any]:
    return {
        "name": name,
        "type": "int" if isinstance(default, int) else "text",
        "default": default,
        "scope": "container",
        "required_for_model_class": required,
    }


VARIABLES = [
    variable("SAGEMAKER_PROGRAM", "inference.py"),
    variable("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code", required=False),
    variable("SAGEMAKER_CONTAINER_LOG_LEVEL", "20", required=False),
    variable("SAGEMAKER_MODEL_SERVER_TIMEOUT", "3600", required=False),
    variable("ENDPOINT_SERVER_TIMEOUT", 3600),
    variable("MODEL_CACHE_ROOT", "/opt/ml/model"),
    variable("SAGEMAKER_ENV", "1"),
    variable("HF_MODEL_ID", "/opt/ml/model"),
    variable("SM_NUM_GPUS", "1"),
    variable("MAX_INPUT_LENGTH", "8191"),
    variable("MAX_TOTAL_TOKENS", "8192"),
    variable("MAX_BATCH_PREFILL_TOKENS", "8191"),
    variable("SAGEMAKER_MODEL_SERVER_WORKERS", 1),
]


def specification(
    model_id: str, version: str, image: str, gpus: dict[str, str], **fields: str | list[str]
) -> dict[str, Any]:
    """One version; `gpus` is SM_NUM_GPUS by instance type, where it is not 1."""
    return {
        "model_id": model_id,
        "url": f"https://huggingface.co/mistralai/{model_id}",
        "version": version,
        "min_sdk_version": "2.189.0",
        "training_supported": False,
        "hosting_ecr_specs": {"framework": "huggingface-llm", "framework_version": "1.1.0", "py_version": "py39"},
        "hosting_artifact_key": f"huggingface-infer/infer-{model_id}.tar.gz",
        "hosting_use_script_uri": False,
        "inference_vulnerable": False,
        "deprecated": False,
        "inference_environment_variables": VARIABLES,
        "default_inference_instance_type": "ml.g5.2xlarge",
        "supported_inference_instance_types": G5_SMALL,
        "deploy_kwargs": {"model_data_download_timeout": 1200},
        "inference_enable_network_isolation": True,
        "hosting_instance_type_variants": {
            "regional_aliases": {
                region: {"gpu_ecr_uri_1": f"{account}.dkr.ecr.{region}.amazonaws.com{_suffix(region)}/{image}"}
                for region, account in REGIONS.items()
            },
            "variants": {
                "g5": {"regional_properties": {"image_uri": "$gpu_ecr_uri_1"}},
                "p4d": {"regional_properties": {"image_uri": "$gpu_ecr_uri_1"}},
                **{kind: {"properties": {"environment_variables": {"SM_NUM_GPUS": n}}} for kind, n in gpus.items()},
            },
        },
        **fields,
    }


def _suffix(region: str) -> str:
    return ".cn" if region.startswith("cn-") else ""


BASE, INSTRUCT = "huggingface-llm-mistral-7b", "huggingface-llm-mistral-7b-instruct"
FOUR_AND_EIGHT = {
    "ml.g5.12xlarge": "4",
    "ml.g5.24xlarge": "4",
    "ml.g5.48xlarge": "8",
    "ml.p4d.24xlarge": "8",
}
SPECIFICATIONS = [
    specification(
        INSTRUCT,
        "3.1.0",
        TGI.format("2.1.1-tgi2.0.0-gpu-py310-cu121-ubuntu22.04"),
        {"ml.g4dn.12xlarge": "4", **FOUR_AND_EIGHT, "ml.p4de.24xlarge": "8"},
        hosting_artifact_key=PREPACK.format(INSTRUCT, "v2.0.0"),
        default_inference_instance_type="ml.g5.12xlarge",
        supported_inference_instance_types=[
            "ml.g5.2xlarge",
            "ml.g5.4xlarge",
            "ml.g5.8xlarge",
            "ml.g5.12xlarge",
            "ml.g5.16xlarge",
            "ml.g5.24xlarge",
            "ml.g5.48xlarge",
            "ml.p4d.24xlarge",
        ],
    ),
    specification(
        INSTRUCT,
        "1.0.0",
        TGI.format("2.0.1-tgi1.1.0-gpu-py39-cu118-ubuntu20.04"),
        FOUR_AND_EIGHT,
        hosting_prepacked_artifact_key=f"huggingface-infer/prepack/v1.0.0/infer-prepack-{INSTRUCT}.tar.gz",
    ),
    specification(INSTRUCT, "10.0.0", "djl-inference:0.31.0-lmi13.0.0-cu124", FOUR_AND_EIGHT),
    specification(
        BASE,
        "2.1.0",
        TGI.format("2.0.1-tgi1.1.0-gpu-py39-cu118-ubuntu20.04"),
        FOUR_AND_EIGHT,
        hosting_artifact_key=PREPACK.format(BASE, "v1.0.0"),
    ),
]
NOT_YET_IN = {"me-central-1": {"1.0.0", "2.1.0"}}
"""Versions that a region's manifest does not have."""


def objects(region: str) -> dict[str, Any]:
    """What the region's bucket holds, by key."""
    specs = [s for s in SPECIFICATIONS if s["version"] not in NOT_YET_IN.get(region, ())]
    keys = {f"community_models_specs/{s['model_id']}/specs_v{s['version']}.json": s for s in specs}
    manifest = [
        {"model_id": s["model_id"], "version": s["version"], "min_version": s["min_sdk_version"], "spec_key": key}
        for key, s in keys.items()
    ]
    other = {"model_id": "another-model", "version": "1.0.0", "min_version": "2.49.0", "spec_key": "not/there.json"}
    return {"models_manifest.json": [other, *manifest], **keys}
