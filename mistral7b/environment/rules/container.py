"""The container: settings that it starts with, on the instance that it gets."""

from collections.abc import Iterator

from mistral7b import catalog
from mistral7b.environment.rules.known import version_is_known
from mistral7b.environment.rules.registry import Finding, rule
from mistral7b.environment.schema import Environment
from mistral7b.tgi import LauncherError, parse_environment

MODEL_FOLDER = "/opt/ml/model"


@rule("tgi", "instance.type", "model", "model_version")
def _container_starts(env: Environment) -> Iterator[Finding]:
    if not version_is_known(env):
        return
    try:
        parse_environment(env.container_environment())
    except LauncherError as error:
        for problem in error.problems:
            yield Finding(("tgi", problem.variable), problem.value, problem.reason, problem.fix)


@rule("tgi.SM_NUM_GPUS", "instance.type", "model", "model_version")
def _every_gpu_is_used(env: Environment) -> Iterator[Finding]:
    if not version_is_known(env) or env.instance_type not in env.version.supported_instance_types:
        return
    gpus, shards = catalog.instance_type(env.instance_type).gpus, env.container_environment()["SM_NUM_GPUS"]
    if shards != str(gpus):
        yield Finding(
            ("tgi", "SM_NUM_GPUS"),
            int(shards),
            f"{env.instance_type} has {gpus} GPU{'s' if gpus > 1 else ''}",
            f"set it to {gpus}, or leave it out",
        )


@rule("tgi.HF_MODEL_ID")
def _weights_come_with_the_model(env: Environment) -> Iterator[Finding]:
    model_id = env.tgi.to_environment().get("HF_MODEL_ID", MODEL_FOLDER)
    if model_id != MODEL_FOLDER:
        yield Finding(
            ("tgi", "HF_MODEL_ID"),
            model_id,
            "the container has no network, so it cannot download a model; SageMaker puts the weights in "
            + MODEL_FOLDER,
            f"leave it out, or set it to {MODEL_FOLDER}",
        )


@rule("tgi.HF_MODEL_QUANTIZE", "tgi.QUANTIZE")
def _weights_are_not_quantized(env: Environment) -> Iterator[Finding]:
    for variable in ("HF_MODEL_QUANTIZE", "QUANTIZE"):
        method = env.tgi.to_environment().get(variable)
        if method in ("gptq", "awq"):
            yield Finding(
                ("tgi", variable),
                method,
                "it needs weights that were quantized that way, and JumpStart's are in half precision",
                "use bitsandbytes, bitsandbytes-nf4 or bitsandbytes-fp4, or leave it out",
            )
