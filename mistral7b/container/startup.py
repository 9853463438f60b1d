"""Starting a TGI container: whether it starts with its environment, and what it writes to the log.

The SageMaker image starts the launcher without `--json-output`, so that its lines are text. Steps that do not happen
here (downloading, loading and warming up weights) write a line only where they fail: `startup_failures.json` has them,
from public logs (huggingface/text-generation-inference#1164; lines of `main.rs` are from logs of October 2023).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import Protocol

from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.memory import nearest_limits, router_limits
from mistral7b.catalog.instances import instance_type
from mistral7b.container import backends
from mistral7b.container.pace import Clock, Pace, ScheduledPace, at_once
from mistral7b.container.rendering import log_line
from mistral7b.container.request_log import debug
from mistral7b.container.router import TgiContainer
from mistral7b.tgi import tokenizer
from mistral7b.tgi.clap import RustType
from mistral7b.tgi.launcher import NATIVE_NAMES, LauncherError, argument, parse_environment
from mistral7b.tgi.rules import LauncherProblem, Stage
from mistral7b.tgi.settings import LauncherArguments, LauncherSettings


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

    @property
    def clock(self) -> Clock | None:
        """By which answers take their time; None: they take none."""


def start(launch: Launch, pace: Pace | None = None) -> TgiContainer | None:
    """Start a container; None if TGI ends with an error, which its log then tells.

    `pace` is by default that of the performance model on the launch's clock.
    """
    gpus = gpu = None
    with suppress(LookupError):  # then the number of shards and the GPU's memory are not checked
        gpus, gpu = (kind := instance_type(launch.instance_type)).gpus, kind.gpu
    line = partial(log_line, at=launch.clock.seconds() if launch.clock else None)
    try:
        settings = parse_environment(launch.environment, gpus=gpus, gpu=gpu, network=not launch.network_isolation)
    except LauncherError as error:
        for text in _failure(error.settings, error.problems[0], line):
            launch.log(text)
        return None
    launch.log(line("INFO", _arguments(settings)))
    if settings.sm_num_gpus > 1:
        launch.log(line("INFO", f"Sharding model on {settings.sm_num_gpus} processes"))
    tokenizer.load()  # takes a second the first time, which no request should wait for
    launch.log(line("INFO", "Starting Webserver"))
    launch.log(line("INFO", "Connected", "text_generation_router: router/src/main.rs:247"))
    if url := os.environ.get(backends.VARIABLE):
        return backends.start(url, settings, launch.log)
    pace = pace or (_scheduled(launch, settings, launch.clock) if launch.clock else at_once)
    launch.log("Embedded AWS: no weights are loaded; requests are checked and counted as by TGI 1.1.0")
    return TgiContainer(settings, pace, launch.log, launch.clock)


def _scheduled(launch: Launch, settings: LauncherSettings, clock: Clock) -> Pace:
    try:
        limits = router_limits(settings, launch.instance_type)
    except (LookupError, ValueError) as error:
        limits = nearest_limits(settings)
        launch.log(f"Embedded AWS: answers take the times of ml.g5.2xlarge, as none are known for this: {error}")
    return ScheduledPace(published_calibration().parameters, limits, clock)


def _failure(settings: LauncherArguments, problem: LauncherProblem, line: Callable[..., str]) -> Iterator[str]:
    if problem.stage in (Stage.ENTRY_POINT, Stage.ARGUMENTS):
        yield from filter(None, problem.message.splitlines())
        return
    yield line("INFO", _arguments(settings))
    text = files("mistral7b.container").joinpath("startup_failures.json").read_text(encoding="utf-8")
    for one in json.loads(text)[problem.stage.value]:
        level, target, message = one if isinstance(one, list) else ("", "", one)
        message, target = (part.format(message=problem.message, s=settings) for part in (message, target))
        yield line(level, message, target) if level else message


def _arguments(settings: LauncherArguments) -> str:
    """The arguments as the launcher writes them: Rust's Debug of its `Args`, in their order there."""
    shown = {name: _debug(name, value) for name, value in settings}
    shown |= {"quantize": _debug("quantize", settings.quantization), "port": "8080", "env": "false"}
    shown["cors_allow_origin"] = (
        shown["cors_allow_origin"].replace("None", "[]").replace("Some(", "[").replace(")", "]")
    )
    return f"Args {{ {', '.join(f'{_NAMES.get(name, name)}: {shown[name]}' for name in _ARGS.split())} }}"


_ARGS = """
    hf_model_id hf_model_revision validation_workers sharded sm_num_gpus quantize dtype hf_model_trust_remote_code
    max_concurrent_requests max_best_of max_stop_sequences max_top_n_tokens max_input_length max_total_tokens
    waiting_served_ratio max_batch_prefill_tokens max_batch_total_tokens max_waiting_tokens hostname port shard_uds_path
    master_addr master_port huggingface_hub_cache weights_cache_override disable_custom_kernels cuda_memory_fraction
    rope_scaling rope_factor json_output otlp_endpoint cors_allow_origin watermark_gamma watermark_delta ngrok
    ngrok_authtoken ngrok_edge env
"""
_NAMES = {name.lower(): native.lower() for name, native in NATIVE_NAMES.items()}
_OPTIONS = ("sm_num_gpus", "huggingface_hub_cache")
"""Optional arguments that the image sets."""
_VARIANTS = {"true": "true", "false": "false", "bfloat16": "BFloat16"}
_VARIANTS |= {"bitsandbytes-nf4": "BitsandbytesNF4", "bitsandbytes-fp4": "BitsandbytesFP4"}
"""Rust's names of choices, where they are more than the value with a capital."""


def _debug(name: str, value: object) -> str:
    """Rust's Debug of a setting's value."""
    if value is None:
        return "None"
    choice = argument(name)[0] is RustType.CHOICE
    shown = _VARIANTS.get(str(value), str(value).capitalize()) if choice else debug(value)
    return f"Some({shown})" if LauncherArguments.model_fields[name].default is None or name in _OPTIONS else shown
