"""Starting a TGI container: whether it starts with its environment, and what it writes to the log.

The SageMaker image starts the launcher without `--json-output`, so that its lines are text. Steps that do not happen
here (downloading, loading and warming up weights) write no line.
"""

import json
from collections.abc import Callable, Mapping
from typing import Protocol

from mistral7b.catalog.instances import instance_type
from mistral7b.container.rendering import log_line
from mistral7b.container.router import Pace, TgiContainer, at_once
from mistral7b.tgi import tokenizer
from mistral7b.tgi.launcher import LauncherError, parse_environment
from mistral7b.tgi.rules import LauncherProblem, Stage
from mistral7b.tgi.settings import LauncherSettings

_SHARD = "shard-manager: text_generation_launcher"


class Launch(Protocol):
    """What the container reads of what SageMaker gives it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The model's environment variables."""

    @property
    def instance_type(self) -> str:
        """Such as ml.g5.2xlarge."""

    @property
    def log(self) -> Callable[[str], None]:
        """Writes a line to the container's log."""


def start(launch: Launch, pace: Pace = at_once) -> TgiContainer | None:
    """Start a container; None if TGI ends with an error, which its log then tells."""
    try:
        gpus = instance_type(launch.instance_type).gpus
    except LookupError:  # then the number of shards is not checked
        gpus = None
    try:
        settings = parse_environment(launch.environment, gpus=gpus)
    except LauncherError as error:
        for line in _failure(error.settings, error.problems[0]):
            launch.log(line)
        return None
    launch.log(log_line("INFO", _arguments(settings)))
    if settings.sm_num_gpus > 1:
        launch.log(log_line("INFO", f"Sharding model on {settings.sm_num_gpus} processes"))
    tokenizer.load()  # takes a second the first time, which no request should wait for
    launch.log(log_line("INFO", "Starting Webserver"))
    launch.log(log_line("INFO", "Connected", "text_generation_router"))
    launch.log("Embedded AWS: no weights are loaded; requests are checked and counted as by TGI 1.1.0")
    return TgiContainer(settings, pace, launch.log)


def _failure(settings: LauncherSettings, problem: LauncherProblem) -> list[str]:
    if problem.stage in (Stage.ENTRY_POINT, Stage.ARGUMENTS):
        return [line for line in problem.message.splitlines() if line]
    log = [log_line("INFO", _arguments(settings))]
    if problem.stage is Stage.SHARD:
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


def _arguments(settings: LauncherSettings) -> str:
    """The arguments as the launcher writes them: Rust's Debug of its `Args`, in their order there."""
    shown = {name: _debug(name, value) for name, value in settings}
    shown["quantize"] = _debug("quantize", settings.quantization)
    return f"Args {{ {_ARGS.format_map(shown)} }}"


_ARGS = (
    "model_id: {hf_model_id}, revision: {hf_model_revision}, validation_workers: {validation_workers}, sharded: None, "
    "num_shard: Some({sm_num_gpus}), quantize: {quantize}, dtype: {dtype}, "
    "trust_remote_code: {hf_model_trust_remote_code}, max_concurrent_requests: {max_concurrent_requests}, "
    "max_best_of: {max_best_of}, max_stop_sequences: {max_stop_sequences}, max_top_n_tokens: {max_top_n_tokens}, "
    "max_input_length: {max_input_length}, max_total_tokens: {max_total_tokens}, "
    "waiting_served_ratio: {waiting_served_ratio}, max_batch_prefill_tokens: {max_batch_prefill_tokens}, "
    "max_batch_total_tokens: {max_batch_total_tokens}, max_waiting_tokens: {max_waiting_tokens}, "
    'hostname: "container-0.local", port: 8080, shard_uds_path: "/tmp/text-generation-server", '
    'master_addr: "localhost", master_port: 29500, huggingface_hub_cache: Some("/tmp"), weights_cache_override: None, '
    "disable_custom_kernels: false, cuda_memory_fraction: {cuda_memory_fraction}, rope_scaling: {rope_scaling}, "
    "rope_factor: {rope_factor}, json_output: false, otlp_endpoint: None, cors_allow_origin: [], "
    "watermark_gamma: {watermark_gamma}, watermark_delta: {watermark_delta}, ngrok: false, ngrok_authtoken: None, "
    "ngrok_edge: None, env: false"
)
_VARIANTS = {"bfloat16": "BFloat16", "bitsandbytes-nf4": "BitsandbytesNF4", "bitsandbytes-fp4": "BitsandbytesFP4"}
"""Rust's names of choices, where they are more than the value with a capital."""


def _debug(name: str, value: object) -> str:
    """Rust's Debug of a setting's value."""
    if value is None:
        return "None"
    if name in ("hf_model_id", "hf_model_revision"):
        shown = json.dumps(value)
    elif isinstance(value, str):
        shown = _VARIANTS.get(value, value.capitalize())
    else:
        shown = str(value).lower()
    return f"Some({shown})" if LauncherSettings.model_fields[name].default is None else shown
