"""The limits that an instance batches by: its settings, and the tokens that its GPU holds (`mistral7b.tgi.memory`)."""

from typing import TYPE_CHECKING

from mistral7b.capacity.admission import RouterLimits, in_blocks
from mistral7b.tgi.memory import GPU, cache_tokens

if TYPE_CHECKING:
    from mistral7b.tgi import LauncherSettings


def max_batch_total_tokens(*, max_batch_prefill_tokens: int, cuda_memory_fraction: float = 1.0) -> int:
    """Tokens that the running batch can hold on one GPU with the whole model in 16 bit, in whole blocks.

    Raises ValueError if nothing is left for the cache.
    """
    tokens = cache_tokens(max_batch_prefill_tokens, cuda_memory_fraction)
    if tokens <= 0:
        raise ValueError(
            f"nothing is left for the KV cache on {GPU} with MAX_BATCH_PREFILL_TOKENS {max_batch_prefill_tokens} and "
            f"CUDA_MEMORY_FRACTION {cuda_memory_fraction}; lower the first or raise the second"
        )
    return tokens


def router_limits(settings: "LauncherSettings", instance_type: str = "ml.g5.2xlarge") -> RouterLimits:
    """The limits that a container with these settings batches by on `instance_type`.

    Raises LookupError for anything but one unquantized shard on one A10G: two GPUs would add the exchange
    between shards to every layer, which no published figure lets us fit. Raises ValueError without room for the cache.
    """
    from mistral7b.catalog import instance_type as look_up  # noqa: PLC0415 - a scheduler alone does not need it

    kind, covered = look_up(instance_type), fitted_instance_types()
    if kind.name not in covered:
        raise LookupError(
            f"{instance_type} has {kind.gpus} × {kind.gpu}: the performance model is fitted only to types with one "
            f"{GPU}, {', '.join(covered)}"
        )
    if settings.quantization is not None:
        raise LookupError(
            f"quantization {settings.quantization}: the performance model is fitted to weights of 16 bit; "
            "leave QUANTIZE and HF_MODEL_QUANTIZE out"
        )
    held = max_batch_total_tokens(
        max_batch_prefill_tokens=settings.max_batch_prefill_tokens, cuda_memory_fraction=settings.cuda_memory_fraction
    )
    return _limits(settings, held)


def nearest_limits(settings: "LauncherSettings") -> RouterLimits:
    """The limits of these settings on the GPU that the model is fitted to, whatever GPUs they are for.

    They leave room for the longest request, as the router of a container that has started does.
    """
    return _limits(settings, max(settings.cache_tokens, in_blocks(settings.max_total_tokens)))


def _limits(settings: "LauncherSettings", held: int) -> RouterLimits:
    named = {name: getattr(settings, name) for name in RouterLimits.__slots__}
    return RouterLimits(**named | {"max_batch_total_tokens": held})


def fitted_instance_types() -> tuple[str, ...]:
    """Instance types that the model covers: one A10G, as the measured ml.g5.2xlarge has; the rest is host."""
    from mistral7b.catalog import instance_types  # noqa: PLC0415

    return tuple(kind.name for kind in instance_types() if (kind.gpus, kind.gpu) == (1, GPU))


def benchmark_limits() -> RouterLimits:
    """The limits of the published benchmark: JumpStart's own settings on ml.g5.2xlarge."""
    from mistral7b.catalog import model  # noqa: PLC0415
    from mistral7b.tgi import parse_environment  # noqa: PLC0415

    return router_limits(parse_environment(model("instruct").default_version.environment("ml.g5.2xlarge")))
