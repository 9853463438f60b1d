"""Starting a TGI container: whether it starts with its environment, and what it writes to the log.

The SageMaker image starts the launcher without `--json-output`, so that its lines are text. Steps that do not happen
here (downloading, loading and warming up weights) write a line only where they fail.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from mistral7b.catalog.instances import instance_type
from mistral7b.container.rendering import log_line
from mistral7b.container.router import Pace, TgiContainer, at_once
from mistral7b.tgi import tokenizer
from mistral7b.tgi.clap import RustType
from mistral7b.tgi.launcher import LauncherError, argument, parse_environment
from mistral7b.tgi.rules import LauncherProblem, Stage
from mistral7b.tgi.settings import LauncherArguments

_SHARD = "shard-manager: text_generation_launcher"
_ROUTER = "text_generation_router: router/src/main.rs"
"""Lines of it are from public logs of 1.1.0."""


class Launch(Protocol):
    """What the container reads of what SageMaker gives it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The model's environment variables."""

    @property
    def instance_type(self) -> str:
        """Such as ml.g5.2xlarge."""

    @property
    def network_isolation(self) -> bool:
        """Whether the container has no network."""

    @property
    def log(self) -> Callable[[str], None]:
        """Writes a line to the container's log."""


def start(launch: Launch, pace: Pace = at_once) -> TgiContainer | None:
    """Start a container; None if TGI ends with an error, which its log then tells."""
    gpus = gpu = None
    with suppress(LookupError):  # then the number of shards and the GPU's memory are not checked
        gpus, gpu = (kind := instance_type(launch.instance_type)).gpus, kind.gpu
    try:
        settings = parse_environment(launch.environment, gpus=gpus, gpu=gpu, network=not launch.network_isolation)
    except LauncherError as error:
        for line in _failure(error.settings, error.problems[0]):
            launch.log(line)
        return None
    launch.log(log_line("INFO", _arguments(settings)))
    if settings.sm_num_gpus > 1:
        launch.log(log_line("INFO", f"Sharding model on {settings.sm_num_gpus} processes"))
    tokenizer.load()  # takes a second the first time, which no request should wait for
    launch.log(log_line("INFO", "Starting Webserver"))
    launch.log(log_line("INFO", "Connected", f"{_ROUTER}:247"))
    launch.log("Embedded AWS: no weights are loaded; requests are checked and counted as by TGI 1.1.0")
    return TgiContainer(settings, pace, launch.log)


def _failure(settings: LauncherArguments, problem: LauncherProblem) -> list[str]:
    if problem.stage in (Stage.ENTRY_POINT, Stage.ARGUMENTS):
        return [line for line in problem.message.splitlines() if line]
    log = [log_line("INFO", _arguments(settings))]
    if problem.stage is Stage.DOWNLOAD:
        log += [
            log_line("INFO", "Starting download process.", "download: text_generation_launcher"),
            log_line(
                "ERROR", f"Download encountered an error: {problem.message}", "download: text_generation_launcher"
            ),
            "Error: DownloadError",
        ]
    elif problem.stage is Stage.WARM_UP:
        log += [
            log_line("INFO", "Starting Webserver"),
            log_line("INFO", "Warming up model", f"{_ROUTER}:213"),
            *_warm_up_failure(settings, problem.message),
            log_line("ERROR", "Webserver Crashed"),
            log_line("INFO", "Shutting down shards"),
            log_line("INFO", "Shard terminated rank=0", _SHARD),
            "Error: WebserverFailed",
        ]
    elif problem.stage is Stage.SHARD:
        log += [
            log_line("INFO", "Starting shard rank=0", _SHARD),
            log_line("ERROR", f"Shard complete standard error output:\n\n{problem.message} rank=0", _SHARD),
            log_line("ERROR", "Shard 0 failed to start"),
            log_line("INFO", "Shutting down shards"),
            "Error: ShardCannotStart",
        ]
    else:
        log.append(problem.message)
    return log


def _warm_up_failure(settings: LauncherArguments, message: str) -> list[str]:
    """What server and router write (huggingface/text-generation-inference#1164), or the router alone."""
    if message.startswith("Error: "):
        return [message]
    limits = f"max_input_length={settings.max_input_length} max_prefill_tokens={settings.max_batch_prefill_tokens}"
    span = f"warmup{{{limits}}}:warmup: text_generation_client: router/client/src/lib.rs:33"
    return [
        log_line("ERROR", f"Method Warmup encountered an error.\n\nRuntimeError: {message}"),
        log_line("ERROR", f"Server error: {message}", span),
        f'Error: Warmup(Generation("{message}"))',
    ]


def _arguments(settings: LauncherArguments) -> str:
    """The arguments as the launcher writes them: Rust's Debug of its `Args`, in their order there."""
    shown = {name: _debug(name, value) for name, value in settings}
    shown["quantize"] = _debug("quantize", settings.quantization)
    shown["cors_allow_origin"] = json.dumps([one for one in [settings.cors_allow_origin] if one is not None])
    return f"Args {{ {_ARGS.format_map(shown)} }}"


_ARGS = (
    "model_id: {hf_model_id}, revision: {hf_model_revision}, validation_workers: {validation_workers}, "
    "sharded: {sharded}, num_shard: Some({sm_num_gpus}), quantize: {quantize}, dtype: {dtype}, "
    "trust_remote_code: {hf_model_trust_remote_code}, max_concurrent_requests: {max_concurrent_requests}, "
    "max_best_of: {max_best_of}, max_stop_sequences: {max_stop_sequences}, max_top_n_tokens: {max_top_n_tokens}, "
    "max_input_length: {max_input_length}, max_total_tokens: {max_total_tokens}, "
    "waiting_served_ratio: {waiting_served_ratio}, max_batch_prefill_tokens: {max_batch_prefill_tokens}, "
    "max_batch_total_tokens: {max_batch_total_tokens}, max_waiting_tokens: {max_waiting_tokens}, "
    "hostname: {hostname}, port: 8080, shard_uds_path: {shard_uds_path}, "
    "master_addr: {master_addr}, master_port: {master_port}, huggingface_hub_cache: Some({huggingface_hub_cache}), "
    "weights_cache_override: {weights_cache_override}, disable_custom_kernels: {disable_custom_kernels}, "
    "cuda_memory_fraction: {cuda_memory_fraction}, rope_scaling: {rope_scaling}, rope_factor: {rope_factor}, "
    "json_output: {json_output}, otlp_endpoint: {otlp_endpoint}, cors_allow_origin: {cors_allow_origin}, "
    "watermark_gamma: {watermark_gamma}, watermark_delta: {watermark_delta}, ngrok: {ngrok}, "
    "ngrok_authtoken: {ngrok_authtoken}, ngrok_edge: {ngrok_edge}, env: false"
)
_VARIANTS = {
    "true": "true",
    "false": "false",
    "bfloat16": "BFloat16",
    "bitsandbytes-nf4": "BitsandbytesNF4",
    "bitsandbytes-fp4": "BitsandbytesFP4",
}
"""Rust's names of choices, where they are more than the value with a capital."""


def _debug(name: str, value: object) -> str:
    """Rust's Debug of a setting's value."""
    if value is None:
        return "None"
    if argument(name)[0] is RustType.STRING:
        shown = json.dumps(value)
    elif isinstance(value, str):
        shown = _VARIANTS.get(value, value.capitalize())
    else:
        shown = str(value).lower()
    return f"Some({shown})" if LauncherArguments.model_fields[name].default is None else shown
