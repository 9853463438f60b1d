"""The rules between settings that the TGI 1.1.0 container applies at start-up, in its order and with its own words.

Sources, of text-generation-inference 1.1.0: `launcher/src/main.rs` for the rules of the launcher; for those of a shard
`server/text_generation_server/cli.py`, `utils/dist.py`, `utils/layers.py`, `utils/weights.py` and
`models/custom_modeling/flash_mistral_modeling.py`; for those of warm-up `models/flash_causal_lm.py` and
`router/src/main.rs`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from mistral7b.tgi.memory import GPU
from mistral7b.tgi.settings import LauncherArguments

ATTENTION_HEADS = 32
"""Attention heads of Mistral 7B: shards get equal shares of them."""


class Stage(Enum):
    """Which program of the container stops."""

    ENTRY_POINT = "entry point"
    ARGUMENTS = "arguments"
    LAUNCHER = "launcher"
    DOWNLOAD = "download"
    SHARD = "shard"
    WARM_UP = "warm-up"


@dataclass(frozen=True)
class LauncherProblem:
    """One reason for which the container does not start.

    `reason` and `fix` are for the person who set `variable` to `value`; `message` is what the program of `stage` says.
    """

    variable: str
    value: str
    reason: str
    fix: str
    stage: Stage
    message: str


@dataclass(frozen=True)
class Rule:
    """One rule, and what is said where it is broken: texts with `{s.…}` for the settings."""

    variables: str
    """Those that it reads: without one of them it cannot be applied. The first that is set is the one to change."""
    broken: Callable[[LauncherArguments], bool]
    message: str
    reason: str
    fix: str
    stage: Stage = Stage.LAUNCHER

    def check(self, s: LauncherArguments) -> Iterator[LauncherProblem]:
        """The problem, if there is one."""
        if self.broken(s):
            variable = next(name for name in self.variables.split() if getattr(s, name.lower()) is not None)
            launcher = self.stage is Stage.LAUNCHER
            message = f'Error: ArgumentValidation("{self.message}")' if launcher else self.message
            reason, fix, message = (text.format(s=s) for text in (self.reason, self.fix, message))
            yield LauncherProblem(variable, str(getattr(s, variable.lower())), reason, fix, self.stage, message)


_SHARE_OF_MEMORY = (
    "it is a share of the GPU's memory",
    "leave CUDA_MEMORY_FRACTION out, or set it above 0 and to 1.0 at most",
)
_QUANTIZE_IN_PLACE = "use bitsandbytes, bitsandbytes-nf4 or bitsandbytes-fp4, or leave it out"
_LAUNCHER_RULES = (
    Rule(
        "MAX_INPUT_LENGTH MAX_TOTAL_TOKENS",
        lambda s: s.max_input_length >= s.max_total_tokens,
        "`max_input_length` must be < `max_total_tokens`",
        "it must be less than MAX_TOTAL_TOKENS, which is {s.max_total_tokens}",
        "set MAX_TOTAL_TOKENS above {s.max_input_length}, or MAX_INPUT_LENGTH below {s.max_total_tokens}",
    ),
    Rule(
        "MAX_BATCH_PREFILL_TOKENS MAX_INPUT_LENGTH",
        lambda s: s.max_input_length > s.max_batch_prefill_tokens,
        "`max_batch_prefill_tokens` must be >= `max_input_length`. "
        "Given: {s.max_batch_prefill_tokens} and {s.max_input_length}",
        "the longest prompt, MAX_INPUT_LENGTH, is {s.max_input_length} tokens and must fit in one prefill",
        "set MAX_BATCH_PREFILL_TOKENS to {s.max_input_length} or more",
    ),
    Rule(
        "VALIDATION_WORKERS",
        lambda s: s.validation_workers == 0,
        "`validation_workers` must be > 0",
        "without a worker no request can be checked",
        "set VALIDATION_WORKERS to 2",
    ),
    Rule(
        "SM_NUM_GPUS",
        lambda s: s.sm_num_gpus == 0,
        "`num_shard` cannot be < 1",
        "the model needs a GPU",
        "set SM_NUM_GPUS to the number of GPUs of the instance type",
    ),
    Rule(
        "SHARDED SM_NUM_GPUS",
        lambda s: s.sharded == "true" and s.sm_num_gpus == 1,
        "`sharded` is true but `num_shard` <= 1",
        "the model runs on one GPU",
        "leave SHARDED out",
    ),
    Rule(
        "MAX_BATCH_TOTAL_TOKENS MAX_BATCH_PREFILL_TOKENS",
        lambda s: s.max_batch_total_tokens is not None and s.max_batch_prefill_tokens > s.max_batch_total_tokens,
        "`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`. "
        "Given: {s.max_batch_prefill_tokens} and {s.max_batch_total_tokens}",
        "one prefill, MAX_BATCH_PREFILL_TOKENS, is {s.max_batch_prefill_tokens} tokens and must fit in the batch",
        "leave MAX_BATCH_TOTAL_TOKENS out, or set it to {s.max_batch_prefill_tokens} or more",
    ),
    Rule(
        "MAX_BATCH_TOTAL_TOKENS MAX_TOTAL_TOKENS",
        lambda s: s.max_batch_total_tokens is not None and s.max_total_tokens > s.max_batch_total_tokens,
        "`max_total_tokens` must be <= `max_batch_total_tokens`. "
        "Given: {s.max_total_tokens} and {s.max_batch_total_tokens}",
        "one request, MAX_TOTAL_TOKENS, is up to {s.max_total_tokens} tokens and must fit in the batch",
        "leave MAX_BATCH_TOTAL_TOKENS out, or set it to {s.max_total_tokens} or more",
    ),
    *(
        Rule(
            f"NGROK {name.upper()}",
            lambda s, name=name: s.ngrok and getattr(s, name) is None,  # type: ignore[misc]
            f"`{name.replace('_', '-')}` must be set when using ngrok tunneling",
            "the container has no network for a tunnel",
            "leave NGROK out",
        )
        for name in ("ngrok_authtoken", "ngrok_edge")
    ),
)
_DOWNLOAD = Rule(
    "HF_MODEL_ID",
    lambda s: not s.hf_model_id.startswith("/"),
    "huggingface_hub.utils._errors.LocalEntryNotFoundError: Connection error, and we cannot find the requested files "
    "in the disk cache. Please try again or make sure your Internet connection is on.",
    "network isolation keeps the container from downloading a model",
    "set HF_MODEL_ID to /opt/ml/model",
    stage=Stage.DOWNLOAD,
)
_SHARD_RULES = (
    Rule(
        "DTYPE QUANTIZE HF_MODEL_QUANTIZE",
        lambda s: s.dtype is not None and s.quantization is not None,
        "RuntimeError: Only 1 can be set between `dtype` and `quantize`, as they both decide how goes the final model.",
        "it cannot be combined with quantization, which is {s.quantization}",
        "leave DTYPE out, or QUANTIZE and HF_MODEL_QUANTIZE",
        stage=Stage.SHARD,
    ),
    Rule(
        "HF_MODEL_QUANTIZE QUANTIZE",
        lambda s: s.quantization in ("awq", "gptq"),
        "RuntimeError: Cannot load `{s.quantization}` weight, make sure the model is already quantized",
        "it needs weights that were quantized that way, and JumpStart's are in half precision",
        _QUANTIZE_IN_PLACE,
        stage=Stage.SHARD,
    ),
    Rule(
        "HF_MODEL_QUANTIZE QUANTIZE",
        lambda s: s.quantization == "eetq",
        "ImportError: Please install EETQ from https://github.com/NetEase-FuXi/EETQ",
        "the image of TGI 1.1.0 has no EETQ (aws/deep-learning-containers#3377)",
        _QUANTIZE_IN_PLACE,
        stage=Stage.SHARD,
    ),
    Rule(
        "SM_NUM_GPUS",
        lambda s: s.sm_num_gpus > 0 and ATTENTION_HEADS % s.sm_num_gpus != 0,
        "ValueError: `num_heads` must be divisible by `num_shards` "
        f"(got `num_heads`: {ATTENTION_HEADS} and `num_shards`: {{s.sm_num_gpus}}",
        f"the {ATTENTION_HEADS} attention heads of Mistral 7B cannot be shared equally by {{s.sm_num_gpus}} GPUs",
        "set SM_NUM_GPUS to 1, 2, 4 or 8",
        stage=Stage.SHARD,
    ),
    Rule(
        "CUDA_MEMORY_FRACTION",
        lambda s: s.cuda_memory_fraction == 0,
        "torch.cuda.OutOfMemoryError: CUDA out of memory.",
        *_SHARE_OF_MEMORY,
        stage=Stage.SHARD,
    ),
    Rule(
        "CUDA_MEMORY_FRACTION",
        lambda s: not 0 <= s.cuda_memory_fraction <= 1,
        "ValueError: Invalid fraction value: {s.cuda_memory_fraction}. Allowed range: 0~1",
        *_SHARE_OF_MEMORY,
        stage=Stage.SHARD,
    ),
)


def _enough_gpus(gpus: int) -> Rule:
    return Rule(
        "SM_NUM_GPUS",
        lambda s: s.sm_num_gpus > gpus,
        "RuntimeError: CUDA error: invalid device ordinal",
        f"the instance has {gpus} GPU{'s' if gpus != 1 else ''}",
        f"set SM_NUM_GPUS to {gpus}" if gpus else "choose an instance type with a GPU",
        stage=Stage.SHARD,
    )


_ROOM = f"on one {GPU} with CUDA_MEMORY_FRACTION {{s.cuda_memory_fraction}}, by docs/performance-model.md"
_MEMORY_RULES = (
    Rule(
        "CUDA_MEMORY_FRACTION",
        lambda s: 0 < s.cuda_memory_fraction <= 1 and s.longest_prefill == 0,
        "torch.cuda.OutOfMemoryError: CUDA out of memory.",
        f"the weights do not fit into that share of one {GPU}, by docs/performance-model.md",
        "leave CUDA_MEMORY_FRACTION out, or raise it",
        stage=Stage.SHARD,
    ),
    Rule(
        "MAX_BATCH_PREFILL_TOKENS CUDA_MEMORY_FRACTION",
        lambda s: 0 < s.longest_prefill < s.max_batch_prefill_tokens,
        "Not enough memory to handle {s.max_batch_prefill_tokens} prefill tokens. "
        "You need to decrease `--max-batch-prefill-tokens`",
        f"warm-up has room for a prefill of {{s.longest_prefill}} tokens {_ROOM}",
        "set MAX_BATCH_PREFILL_TOKENS, and so MAX_INPUT_LENGTH, to {s.longest_prefill} or less",
        stage=Stage.WARM_UP,
    ),
    Rule(
        "MAX_TOTAL_TOKENS MAX_BATCH_PREFILL_TOKENS CUDA_MEMORY_FRACTION",
        lambda s: s.max_batch_prefill_tokens <= s.longest_prefill and s.cache_tokens < s.max_total_tokens,
        'Error: ArgumentValidation("`max_total_tokens` must be <= `max_batch_total_tokens`. '
        'Given: {s.max_total_tokens} and {s.cache_tokens}")',
        f"the KV cache holds {{s.cache_tokens}} tokens beside a prefill of {{s.max_batch_prefill_tokens}} {_ROOM}",
        "set MAX_TOTAL_TOKENS to {s.cache_tokens} or less, or lower MAX_BATCH_PREFILL_TOKENS",
        stage=Stage.WARM_UP,
    ),
)


def rules(settings: LauncherArguments, gpus: int | None, gpu: str | None, network: bool) -> Iterator[Rule]:
    """The rules for these settings; those about the GPUs where number and kind of the instance's are given."""
    yield from _LAUNCHER_RULES
    if not network:
        yield _DOWNLOAD
    yield from _SHARD_RULES
    if gpus is not None:
        yield _enough_gpus(gpus)
    if gpu == GPU and settings.quantization is None and settings.sm_num_gpus == 1:  # what the model is fitted to
        yield from _MEMORY_RULES
