"""How many tokens the KV cache of one GPU holds: MAX_BATCH_TOTAL_TOKENS, which TGI 1.1.0 measures at warm-up.

With flash attention the server ignores the setting. It runs the longest prefill that MAX_BATCH_PREFILL_TOKENS allows,
and fills what CUDA then has left with blocks of the cache (`warmup` in
`server/text_generation_server/models/flash_causal_lm.py`). This is that sum on paper; the container logs the real one.
"""

from typing import TYPE_CHECKING

from mistral7b.capacity.admission import BLOCK_SIZE, RouterLimits

if TYPE_CHECKING:
    from mistral7b.tgi import LauncherSettings

GIB = 2**30

WEIGHT_BYTES = 14.48e9
"""7.24 billion parameters of 2 bytes."""

KV_BYTES_PER_TOKEN = 2 * 32 * 8 * 128 * 2
"""Keys and values × layers × KV heads × head size × bytes: 128 KiB. Source: config.json of Mistral-7B-v0.1."""

GPU = "NVIDIA A10G"
"""The GPU that is measured."""

USABLE_GPU_BYTES = 22.2 * GIB
"""What CUDA has of it. Source: "22.20 GiB total capacity" in PyTorch's out-of-memory messages on G5 instances."""

CONTEXT_BYTES = 0.4 * GIB
"""CUDA context, kernels and cuBLAS workspace. An estimate; 0.1 GiB more or less are 820 tokens."""

ACTIVATION_BYTES_PER_TOKEN = (2 * 4096 + 3 * 14_336 + 2 * 32_000) * 2
"""Peak of the warm-up prefill for each of its tokens, 2 bytes a number: two hidden states, the MLP's gate, up and
product, logits and their log-softmax (warm-up asks for the prompt's log probabilities). That PyTorch's allocator does
not use the MLP's blocks again for the larger logits is an assumption; if it did, some 5,400 tokens more would fit."""


def max_batch_total_tokens(*, max_batch_prefill_tokens: int, cuda_memory_fraction: float = 1.0) -> int:
    """Tokens that the running batch can hold on one GPU with the whole model in 16 bit, in whole blocks.

    Raises ValueError if nothing is left for the cache.
    """
    free = USABLE_GPU_BYTES * cuda_memory_fraction - WEIGHT_BYTES - CONTEXT_BYTES
    free -= ACTIVATION_BYTES_PER_TOKEN * max_batch_prefill_tokens
    tokens = int(free / (KV_BYTES_PER_TOKEN * BLOCK_SIZE)) * BLOCK_SIZE
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
    named = {name: getattr(settings, name) for name in RouterLimits.__slots__}
    named["max_batch_total_tokens"] = max_batch_total_tokens(
        max_batch_prefill_tokens=settings.max_batch_prefill_tokens, cuda_memory_fraction=settings.cuda_memory_fraction
    )
    return RouterLimits(**named)


def fitted_instance_types() -> tuple[str, ...]:
    """Instance types that the model covers: one A10G, as the measured ml.g5.2xlarge has; the rest is host."""
    from mistral7b.catalog import instance_types  # noqa: PLC0415

    return tuple(kind.name for kind in instance_types() if (kind.gpus, kind.gpu) == (1, GPU))


def benchmark_limits() -> RouterLimits:
    """The limits of the published benchmark: JumpStart's own settings on ml.g5.2xlarge."""
    from mistral7b.catalog import model  # noqa: PLC0415
    from mistral7b.tgi import parse_environment  # noqa: PLC0415

    return router_limits(parse_environment(model("instruct").default_version.environment("ml.g5.2xlarge")))
