"""What the GPU holds."""

import pytest

from mistral7b.capacity.memory import (
    benchmark_limits,
    fitted_instance_types,
    max_batch_total_tokens,
    router_limits,
)
from mistral7b.tgi import LauncherSettings


def test_the_tokens_are_what_weights_context_and_the_longest_prefill_leave_of_an_a10g() -> None:
    # 22.2 GiB are 23.837 GB; less 14.48 of weights, 0.4295 of context and 8191 x 230,400 B = 1.887 GB: 7.0404 GB, which
    # are 53,713 tokens of 128 KiB, 3,357 whole blocks.
    assert max_batch_total_tokens(max_batch_prefill_tokens=8191) == 3357 * 16


def test_a_shorter_longest_prefill_leaves_room_for_more() -> None:
    # 4095 tokens less are 0.9435 GB: 7,198 tokens.
    assert max_batch_total_tokens(max_batch_prefill_tokens=4096) - 53_712 == pytest.approx(7198, abs=16)


def test_a_fraction_of_the_memory_leaves_that_much_less() -> None:
    # A tenth of 23.837 GB are 18,186 tokens.
    less = max_batch_total_tokens(max_batch_prefill_tokens=8191, cuda_memory_fraction=0.9)
    assert 53_712 - less == pytest.approx(18_186, abs=16)


def test_settings_that_leave_no_room_are_refused_with_what_to_change() -> None:
    with pytest.raises(ValueError, match=r"MAX_BATCH_PREFILL_TOKENS 8191 and CUDA_MEMORY_FRACTION 0\.5"):
        max_batch_total_tokens(max_batch_prefill_tokens=8191, cuda_memory_fraction=0.5)


def test_the_limits_are_the_settings_and_what_the_gpu_holds() -> None:
    limits = router_limits(LauncherSettings.model_validate({"MAX_CONCURRENT_REQUESTS": 7, "WAITING_SERVED_RATIO": 0.5}))
    assert (limits.max_concurrent_requests, limits.waiting_served_ratio, limits.max_batch_prefill_tokens) == (
        7,
        0.5,
        4096,
    )
    assert limits.max_batch_total_tokens == max_batch_total_tokens(max_batch_prefill_tokens=4096)


def test_the_published_benchmark_ran_with_jumpstarts_settings() -> None:
    limits = benchmark_limits()
    assert (limits.max_batch_prefill_tokens, limits.max_concurrent_requests) == (8191, 128)


def test_the_model_speaks_of_types_with_one_a10g() -> None:
    assert fitted_instance_types() == ("ml.g5.2xlarge", "ml.g5.4xlarge", "ml.g5.8xlarge", "ml.g5.16xlarge")


@pytest.mark.parametrize("name", ["ml.g5.12xlarge", "ml.g5.48xlarge", "ml.p4d.24xlarge", "ml.g4dn.12xlarge"])
def test_other_types_are_refused_by_name(name: str) -> None:
    with pytest.raises(LookupError, match=rf"{name} has \d × NVIDIA .*ml\.g5\.2xlarge"):
        router_limits(LauncherSettings(), name)


def test_quantized_weights_are_refused_by_name() -> None:
    with pytest.raises(LookupError, match="quantization bitsandbytes"):
        router_limits(LauncherSettings.model_validate({"QUANTIZE": "bitsandbytes"}))
