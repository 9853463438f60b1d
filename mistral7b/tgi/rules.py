"""The rules between settings that the TGI 1.1.0 container applies at start-up, in its order and with its own words.

Sources, of text-generation-inference 1.1.0: `launcher/src/main.rs` for the rules of the launcher; for those of a shard
`server/text_generation_server/cli.py`, `utils/dist.py` and `models/custom_modeling/flash_mistral_modeling.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from mistral7b.tgi.settings import LauncherSettings

ATTENTION_HEADS = 32
"""Attention heads of Mistral 7B: shards get equal shares of them."""


class Stage(Enum):
    """Which program of the container stops."""

    ENTRY_POINT = "entry point"
    ARGUMENTS = "arguments"
    LAUNCHER = "launcher"
    SHARD = "shard"


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
    """Those that it reads, the one to change first: without one of them it cannot be applied."""
    broken: Callable[[LauncherSettings], bool]
    message: str
    reason: str
    fix: str
    stage: Stage = Stage.LAUNCHER

    def check(self, s: LauncherSettings) -> Iterator[LauncherProblem]:
        """The problem, if there is one."""
        if self.broken(s):
            variable, launcher = self.variables.split()[0], self.stage is Stage.LAUNCHER
            message = f'Error: ArgumentValidation("{self.message}")' if launcher else self.message
            reason, fix, message = (text.format(s=s) for text in (self.reason, self.fix, message))
            yield LauncherProblem(variable, str(getattr(s, variable.lower())), reason, fix, self.stage, message)


_INPUT_BELOW_TOTAL = Rule(
    "MAX_INPUT_LENGTH MAX_TOTAL_TOKENS",
    lambda s: s.max_input_length >= s.max_total_tokens,
    "`max_input_length` must be < `max_total_tokens`",
    "it must be less than MAX_TOTAL_TOKENS, which is {s.max_total_tokens}",
    "set MAX_TOTAL_TOKENS above {s.max_input_length}, or MAX_INPUT_LENGTH below {s.max_total_tokens}",
)
_INPUT_WITHIN_PREFILL = Rule(
    "MAX_BATCH_PREFILL_TOKENS MAX_INPUT_LENGTH",
    lambda s: s.max_input_length > s.max_batch_prefill_tokens,
    "`max_batch_prefill_tokens` must be >= `max_input_length`. "
    "Given: {s.max_batch_prefill_tokens} and {s.max_input_length}",
    "the longest prompt, MAX_INPUT_LENGTH, is {s.max_input_length} tokens and must fit in one prefill",
    "set MAX_BATCH_PREFILL_TOKENS to {s.max_input_length} or more",
)
_SOME_VALIDATION_WORKERS = Rule(
    "VALIDATION_WORKERS",
    lambda s: s.validation_workers == 0,
    "`validation_workers` must be > 0",
    "without a worker no request can be checked",
    "set VALIDATION_WORKERS to 2",
)
_SOME_SHARDS = Rule(
    "SM_NUM_GPUS",
    lambda s: s.sm_num_gpus == 0,
    "`num_shard` cannot be < 1",
    "the model needs a GPU",
    "set SM_NUM_GPUS to the number of GPUs of the instance type",
)
_PREFILL_WITHIN_BATCH = Rule(
    "MAX_BATCH_TOTAL_TOKENS MAX_BATCH_PREFILL_TOKENS",
    lambda s: s.max_batch_total_tokens is not None and s.max_batch_prefill_tokens > s.max_batch_total_tokens,
    "`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`. "
    "Given: {s.max_batch_prefill_tokens} and {s.max_batch_total_tokens}",
    "one prefill, MAX_BATCH_PREFILL_TOKENS, is {s.max_batch_prefill_tokens} tokens and must fit in the batch",
    "leave MAX_BATCH_TOTAL_TOKENS out, or set it to {s.max_batch_prefill_tokens} or more",
)
_TOTAL_WITHIN_BATCH = Rule(
    "MAX_BATCH_TOTAL_TOKENS MAX_TOTAL_TOKENS",
    lambda s: s.max_batch_total_tokens is not None and s.max_total_tokens > s.max_batch_total_tokens,
    "`max_total_tokens` must be <= `max_batch_total_tokens`. "
    "Given: {s.max_total_tokens} and {s.max_batch_total_tokens}",
    "one request, MAX_TOTAL_TOKENS, is up to {s.max_total_tokens} tokens and must fit in the batch",
    "leave MAX_BATCH_TOTAL_TOKENS out, or set it to {s.max_total_tokens} or more",
)
_DTYPE_OR_QUANTIZE = Rule(
    "DTYPE QUANTIZE HF_MODEL_QUANTIZE",
    lambda s: s.dtype is not None and s.quantization is not None,
    "RuntimeError: Only 1 can be set between `dtype` and `quantize`, as they both decide how goes the final model.",
    "it cannot be combined with quantization, which is {s.quantization}",
    "leave DTYPE out, or QUANTIZE and HF_MODEL_QUANTIZE",
    stage=Stage.SHARD,
)
_HEADS_DIVIDE = Rule(
    "SM_NUM_GPUS",
    lambda s: s.sm_num_gpus > 0 and ATTENTION_HEADS % s.sm_num_gpus != 0,
    "ValueError: `num_heads` must be divisible by `num_shards` "
    f"(got `num_heads`: {ATTENTION_HEADS} and `num_shards`: {{s.sm_num_gpus}}",
    f"the {ATTENTION_HEADS} attention heads of Mistral 7B cannot be shared equally by {{s.sm_num_gpus}} GPUs",
    "set SM_NUM_GPUS to 1, 2, 4 or 8",
    stage=Stage.SHARD,
)
_SOME_MEMORY = Rule(
    "CUDA_MEMORY_FRACTION",
    lambda s: s.cuda_memory_fraction == 0,
    "torch.cuda.OutOfMemoryError: CUDA out of memory.",
    "it is a share of the GPU's memory",
    "leave CUDA_MEMORY_FRACTION out, or set it above 0 and to 1.0 at most",
    stage=Stage.SHARD,
)
_MEMORY_FRACTION = replace(
    _SOME_MEMORY,
    broken=lambda s: not 0 <= s.cuda_memory_fraction <= 1,
    message="ValueError: Invalid fraction value: {s.cuda_memory_fraction}. Allowed range: 0~1",
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


_RULES = (
    _INPUT_BELOW_TOTAL, _INPUT_WITHIN_PREFILL, _SOME_VALIDATION_WORKERS, _SOME_SHARDS, _PREFILL_WITHIN_BATCH,
    _TOTAL_WITHIN_BATCH, _DTYPE_OR_QUANTIZE, _HEADS_DIVIDE, _SOME_MEMORY, _MEMORY_FRACTION,
)  # fmt: skip


def rules(gpus: int | None) -> tuple[Rule, ...]:
    """Every rule; with the number of GPUs of the instance, if given, also the one that needs it."""
    return _RULES if gpus is None else (*_RULES, _enough_gpus(gpus))


def check(settings: LauncherSettings, *, gpus: int | None = None) -> list[LauncherProblem]:
    """Every rule that these settings break, in the container's order; `gpus` is how many the instance has, if known."""
    return [problem for rule in rules(gpus) for problem in rule.check(settings)]
