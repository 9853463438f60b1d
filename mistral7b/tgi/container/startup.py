"""Starting a TGI container: whether it starts with its environment, and what it writes to the log.

The lines are those of the launcher with `--json-output`, as the SageMaker image starts it. Steps that do not happen
here (downloading, loading and warming up weights) write no line.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from mistral7b.catalog.instances import UnknownInstanceTypeError, instance_type
from mistral7b.tgi import tokenizer
from mistral7b.tgi.container.router import Pace, TgiContainer, at_once
from mistral7b.tgi.launcher import LauncherError, parse_environment
from mistral7b.tgi.rules import LauncherProblem, Stage
from mistral7b.tgi.settings import LauncherSettings

_LAUNCHER = "text_generation_launcher"
T = TypeVar("T")


class Launch(Protocol):
    """What the container reads of what SageMaker gives it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The model's environment variables."""
        ...

    @property
    def instance_type(self) -> str:
        """Such as ml.g5.2xlarge."""
        ...

    @property
    def log(self) -> Callable[[str], None]:
        """Writes a line to the container's log."""
        ...


def start(launch: Launch, pace: Pace = at_once) -> TgiContainer | None:
    """Start a container; None if TGI ends with an error, which its log then tells."""
    try:
        gpus = instance_type(launch.instance_type).gpus
    except UnknownInstanceTypeError:  # then the number of shards is not checked
        gpus = None
    try:
        settings = parse_environment(launch.environment, gpus=gpus)
    except LauncherError as error:
        for line in _failure(error.settings, error.problems[0]):
            launch.log(line)
        return None
    launch.log(_line("INFO", _arguments(settings)))
    if settings.sm_num_gpus > 1:
        launch.log(_line("INFO", f"Sharding model on {settings.sm_num_gpus} processes"))
    tokenizer.load()  # takes a second the first time, which no request should wait for
    launch.log(_line("INFO", "Starting Webserver"))
    launch.log(_line("INFO", "Connected", target="text_generation_router"))
    launch.log("Embedded AWS: no weights are loaded; requests are checked and counted as by TGI 1.1.0")
    return TgiContainer(settings, pace)


def _failure(settings: LauncherSettings, problem: LauncherProblem) -> list[str]:
    if problem.stage in (Stage.ENTRY_POINT, Stage.ARGUMENTS):
        return [line for line in problem.message.splitlines() if line]
    log = [_line("INFO", _arguments(settings))]
    if problem.stage is Stage.SHARD:
        rank = {"rank": 0, "name": "shard-manager"}
        log += [
            _line("INFO", "Starting shard", rank),
            _line("ERROR", f"Shard complete standard error output:\n\n{problem.message}", rank),
            _line("ERROR", "Shard 0 failed to start"),
            _line("INFO", "Shutting down shards"),
            "Error: ShardCannotStart",
        ]
    else:
        log.append(problem.message)
    return log


def _line(level: str, message: str, span: dict[str, object] | None = None, target: str = _LAUNCHER) -> str:
    values: dict[str, object] = {
        "timestamp": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "level": level,
        "fields": {"message": message},
        "target": target,
    }
    if span is not None:
        values |= {"span": span, "spans": [span]}
    return json.dumps(values, separators=(",", ":"))


def _arguments(s: LauncherSettings) -> str:
    """The arguments as the launcher writes them: Rust's Debug of its `Args`, in their order there."""
    values = {
        "model_id": _text(s.hf_model_id),
        "revision": _some(s.hf_model_revision, _text),
        "validation_workers": s.validation_workers,
        "sharded": "None",
        "num_shard": f"Some({s.sm_num_gpus})",
        "quantize": _some(s.quantization, _variant),
        "dtype": _some(s.dtype, {"float16": "Float16", "bfloat16": "BFloat16"}.__getitem__),
        "trust_remote_code": _bool(s.hf_model_trust_remote_code),
        "max_concurrent_requests": s.max_concurrent_requests,
        "max_best_of": s.max_best_of,
        "max_stop_sequences": s.max_stop_sequences,
        "max_top_n_tokens": s.max_top_n_tokens,
        "max_input_length": s.max_input_length,
        "max_total_tokens": s.max_total_tokens,
        "waiting_served_ratio": s.waiting_served_ratio,
        "max_batch_prefill_tokens": s.max_batch_prefill_tokens,
        "max_batch_total_tokens": _some(s.max_batch_total_tokens, str),
        "max_waiting_tokens": s.max_waiting_tokens,
        "hostname": _text("container-0.local"),
        "port": 8080,
        "shard_uds_path": _text("/tmp/text-generation-server"),
        "master_addr": _text("localhost"),
        "master_port": 29500,
        "huggingface_hub_cache": f"Some({_text('/tmp')})",
        "weights_cache_override": "None",
        "disable_custom_kernels": "false",
        "cuda_memory_fraction": s.cuda_memory_fraction,
        "rope_scaling": _some(s.rope_scaling, str.capitalize),
        "rope_factor": _some(s.rope_factor, str),
        "json_output": "true",
        "otlp_endpoint": "None",
        "cors_allow_origin": "[]",
        "watermark_gamma": _some(s.watermark_gamma, str),
        "watermark_delta": _some(s.watermark_delta, str),
        "ngrok": "false",
        "ngrok_authtoken": "None",
        "ngrok_edge": "None",
        "env": "false",
    }
    return f"Args {{ {', '.join(f'{name}: {value}' for name, value in values.items())} }}"


def _some(value: T | None, show: Callable[[T], str]) -> str:
    return "None" if value is None else f"Some({show(value)})"


def _text(value: str) -> str:
    return json.dumps(value)


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _variant(quantization: str) -> str:
    """Rust's name of a quantization, such as BitsandbytesNF4."""
    name, _, kind = quantization.partition("-")
    return name.capitalize() + kind.upper()
