"""How many tokens the KV cache of one GPU holds: MAX_BATCH_TOTAL_TOKENS, which TGI 1.1.0 measures at warm-up.

With flash attention the server ignores the setting. It runs the longest prefill that MAX_BATCH_PREFILL_TOKENS allows,
and fills what CUDA then has left with blocks of the cache (`warmup` in
`server/text_generation_server/models/flash_causal_lm.py`). This is that sum on paper; the container logs the real one.
"""

BLOCK_SIZE = 16
"""Tokens in a block of the KV cache (`cache_manager.py`)."""

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


def free_bytes(cuda_memory_fraction: float) -> float:
    """What the weights of the whole model in 16 bit leave of one GPU; below 0 they do not fit."""
    return USABLE_GPU_BYTES * cuda_memory_fraction - WEIGHT_BYTES - CONTEXT_BYTES


def cache_tokens(max_batch_prefill_tokens: int, cuda_memory_fraction: float) -> int:
    """Tokens that the running batch can hold, in whole blocks; 0 or less if the longest prefill leaves nothing."""
    free = free_bytes(cuda_memory_fraction) - ACTIVATION_BYTES_PER_TOKEN * max_batch_prefill_tokens
    return int(free / (KV_BYTES_PER_TOKEN * BLOCK_SIZE)) * BLOCK_SIZE


def longest_prefill(cuda_memory_fraction: float) -> int:
    """The most MAX_BATCH_PREFILL_TOKENS with which warm-up has room for the prefill and its own KV cache."""
    each = ACTIVATION_BYTES_PER_TOKEN + KV_BYTES_PER_TOKEN
    return max(0, int(free_bytes(cuda_memory_fraction) / (each * BLOCK_SIZE)) * BLOCK_SIZE)
