"""The rules between settings that the TGI 1.1.0 container applies at start-up, in its order and with its own words.

Sources, of text-generation-inference 1.1.0: `launcher/src/main.rs` for the rules of the launcher; for those of a shard
`server/text_generation_server/cli.py`, `utils/dist.py` and `models/custom_modeling/flash_mistral_modeling.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
    """One rule, with the variables it reads: without these it cannot be applied."""

    reads: frozenset[str]
    check: Callable[[LauncherSettings], Iterator[LauncherProblem]]


def _argument_error(variable: str, value: object, message: str, reason: str, fix: str) -> LauncherProblem:
    return LauncherProblem(variable, str(value), reason, fix, Stage.LAUNCHER, f'Error: ArgumentValidation("{message}")')


def _input_below_total(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.max_input_length >= s.max_total_tokens:
        yield _argument_error(
            "MAX_INPUT_LENGTH",
            s.max_input_length,
            "`max_input_length` must be < `max_total_tokens`",
            f"it must be less than MAX_TOTAL_TOKENS, which is {s.max_total_tokens}",
            f"set MAX_TOTAL_TOKENS to {s.max_input_length + 1} or more"
            + (f", or MAX_INPUT_LENGTH to {s.max_total_tokens - 1} or less" if s.max_total_tokens > 1 else ""),
        )


def _input_within_prefill(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.max_input_length > s.max_batch_prefill_tokens:
        yield _argument_error(
            "MAX_BATCH_PREFILL_TOKENS",
            s.max_batch_prefill_tokens,
            "`max_batch_prefill_tokens` must be >= `max_input_length`. "
            f"Given: {s.max_batch_prefill_tokens} and {s.max_input_length}",
            f"the longest prompt, MAX_INPUT_LENGTH, is {s.max_input_length} tokens and must fit in one prefill",
            f"set MAX_BATCH_PREFILL_TOKENS to {s.max_input_length} or more",
        )


def _some_validation_workers(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.validation_workers == 0:
        yield _argument_error(
            "VALIDATION_WORKERS",
            0,
            "`validation_workers` must be > 0",
            "without a worker no request can be checked",
            "set VALIDATION_WORKERS to 2",
        )


def _some_shards(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.sm_num_gpus == 0:
        yield _argument_error(
            "SM_NUM_GPUS",
            0,
            "`num_shard` cannot be < 1",
            "the model needs a GPU",
            "set SM_NUM_GPUS to the number of GPUs of the instance type",
        )


def _prefill_within_batch(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.max_batch_total_tokens is not None and s.max_batch_prefill_tokens > s.max_batch_total_tokens:
        yield _argument_error(
            "MAX_BATCH_TOTAL_TOKENS",
            s.max_batch_total_tokens,
            "`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`. "
            f"Given: {s.max_batch_prefill_tokens} and {s.max_batch_total_tokens}",
            f"one prefill, MAX_BATCH_PREFILL_TOKENS, is {s.max_batch_prefill_tokens} tokens and must fit in the batch",
            f"leave MAX_BATCH_TOTAL_TOKENS out, or set it to {s.max_batch_prefill_tokens} or more",
        )


def _total_within_batch(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.max_batch_total_tokens is not None and s.max_total_tokens > s.max_batch_total_tokens:
        yield _argument_error(
            "MAX_BATCH_TOTAL_TOKENS",
            s.max_batch_total_tokens,
            "`max_total_tokens` must be <= `max_batch_total_tokens`. "
            f"Given: {s.max_total_tokens} and {s.max_batch_total_tokens}",
            f"one request, MAX_TOTAL_TOKENS, is up to {s.max_total_tokens} tokens and must fit in the batch",
            f"leave MAX_BATCH_TOTAL_TOKENS out, or set it to {s.max_total_tokens} or more",
        )


def _dtype_or_quantize(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.dtype is not None and s.quantization is not None:
        yield LauncherProblem(
            "DTYPE",
            s.dtype,
            f"it cannot be combined with quantization, which is {s.quantization}",
            "leave DTYPE out, or QUANTIZE and HF_MODEL_QUANTIZE",
            Stage.SHARD,
            "RuntimeError: Only 1 can be set between `dtype` and `quantize`, "
            "as they both decide how goes the final model.",
        )


def _heads_divide(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if s.sm_num_gpus > 0 and ATTENTION_HEADS % s.sm_num_gpus:
        yield LauncherProblem(
            "SM_NUM_GPUS",
            str(s.sm_num_gpus),
            f"the {ATTENTION_HEADS} attention heads of Mistral 7B cannot be shared equally by {s.sm_num_gpus} GPUs",
            "set SM_NUM_GPUS to 1, 2, 4 or 8",
            Stage.SHARD,
            "ValueError: `num_heads` must be divisible by `num_shards` "
            f"(got `num_heads`: {ATTENTION_HEADS} and `num_shards`: {s.sm_num_gpus}",
        )


def _memory_fraction(s: LauncherSettings) -> Iterator[LauncherProblem]:
    if not 0 < s.cuda_memory_fraction <= 1:
        yield LauncherProblem(
            "CUDA_MEMORY_FRACTION",
            str(s.cuda_memory_fraction),
            "it is a share of the GPU's memory",
            "leave CUDA_MEMORY_FRACTION out, or set it above 0 and to 1.0 at most",
            Stage.SHARD,
            "torch.cuda.OutOfMemoryError: CUDA out of memory."
            if s.cuda_memory_fraction == 0
            else f"ValueError: Invalid fraction value: {s.cuda_memory_fraction}. Allowed range: 0~1",
        )


def _enough_gpus(gpus: int) -> Rule:
    def rule(s: LauncherSettings) -> Iterator[LauncherProblem]:
        if s.sm_num_gpus > gpus:
            yield LauncherProblem(
                "SM_NUM_GPUS",
                str(s.sm_num_gpus),
                f"the instance has {gpus} GPU{'s' if gpus != 1 else ''}",
                f"set SM_NUM_GPUS to {gpus}" if gpus else "choose an instance type with a GPU",
                Stage.SHARD,
                "RuntimeError: CUDA error: invalid device ordinal",
            )

    return Rule(frozenset({"SM_NUM_GPUS"}), rule)


_RULES = (
    Rule(frozenset({"MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS"}), _input_below_total),
    Rule(frozenset({"MAX_INPUT_LENGTH", "MAX_BATCH_PREFILL_TOKENS"}), _input_within_prefill),
    Rule(frozenset({"VALIDATION_WORKERS"}), _some_validation_workers),
    Rule(frozenset({"SM_NUM_GPUS"}), _some_shards),
    Rule(frozenset({"MAX_BATCH_PREFILL_TOKENS", "MAX_BATCH_TOTAL_TOKENS"}), _prefill_within_batch),
    Rule(frozenset({"MAX_TOTAL_TOKENS", "MAX_BATCH_TOTAL_TOKENS"}), _total_within_batch),
    Rule(frozenset({"DTYPE", "QUANTIZE", "HF_MODEL_QUANTIZE"}), _dtype_or_quantize),
    Rule(frozenset({"SM_NUM_GPUS"}), _heads_divide),
    Rule(frozenset({"CUDA_MEMORY_FRACTION"}), _memory_fraction),
)


def rules(gpus: int | None) -> tuple[Rule, ...]:
    """Every rule; with the number of GPUs of the instance, if given, also the one that needs it."""
    return _RULES if gpus is None else (*_RULES, _enough_gpus(gpus))


def check(settings: LauncherSettings, *, gpus: int | None = None) -> list[LauncherProblem]:
    """Every rule that these settings break, in the container's order; `gpus` is how many the instance has, if known."""
    return [problem for rule in rules(gpus) for problem in rule.check(settings)]
