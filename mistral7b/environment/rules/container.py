"""The container: settings that it starts with, on the instance that it gets."""

from mistral7b import catalog
from mistral7b.environment.rules.registry import Findings, rule, version_is_known
from mistral7b.environment.schema import Environment
from mistral7b.tgi import LauncherError, parse_environment
from mistral7b.yamlfile import Finding

MODEL_FOLDER = "/opt/ml/model"


@rule("tgi", "instance.type", "model", "model_version")
def container_starts(env: Environment) -> Findings:
    """What the launcher of the container would refuse.

    Any rule of the launcher, on loading the file. Source: TGI 1.1.0, launcher.
    """
    if not version_is_known(env):
        return
    try:
        parse_environment(env.container_environment())
    except LauncherError as error:
        for problem in error.problems:
            yield Finding(f"tgi.{problem.variable}", problem.reason, problem.fix, problem.value)


@rule("tgi.SM_NUM_GPUS", "instance.type", "model", "model_version")
def _every_gpu_is_used(env: Environment) -> Findings:
    """`SM_NUM_GPUS` is the number of GPUs of the instance type. Source: TGI 1.1.0, entry point."""
    if not version_is_known(env) or env.instance_type not in env.version.supported_instance_types:
        return
    gpus, shards = catalog.instance_type(env.instance_type).gpus, env.container_environment()["SM_NUM_GPUS"]
    if shards != str(gpus):
        reason = f"{env.instance_type} has {gpus} GPU{'s' if gpus > 1 else ''}"
        yield Finding("tgi.SM_NUM_GPUS", reason, f"set it to {gpus}, or leave it out")


@rule("tgi.HF_MODEL_ID")
def _weights_come_with_the_model(env: Environment) -> Findings:
    """The weights come with the model: an isolated container cannot download any. Source: SageMaker,
    EnableNetworkIsolation.
    """
    if env.tgi.hf_model_id not in (None, MODEL_FOLDER):
        reason = "the container has no network, so it cannot download a model; SageMaker puts the weights in "
        yield Finding("tgi.HF_MODEL_ID", reason + MODEL_FOLDER, f"leave it out, or set it to {MODEL_FOLDER}")


@rule("tgi.HF_MODEL_QUANTIZE", "tgi.QUANTIZE")
def _weights_are_not_quantized(env: Environment) -> Findings:
    """Weights in half precision take no `gptq` and no `awq`. Source: TGI 1.1.0, server."""
    for variable, method in env.tgi.to_environment().items():
        if variable in ("HF_MODEL_QUANTIZE", "QUANTIZE") and method in ("gptq", "awq"):
            reason = "it needs weights that were quantized that way, and JumpStart's are in half precision"
            fix = "use bitsandbytes, bitsandbytes-nf4 or bitsandbytes-fp4, or leave it out"
            yield Finding(f"tgi.{variable}", reason, fix)
