"""What the container refuses at start-up."""

import pytest

from mistral7b.tgi import LauncherError, parse_environment, rules
from mistral7b.tgi.rules import LauncherProblem, Stage

JUMPSTART = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
    "ENDPOINT_SERVER_TIMEOUT": "3600",
    "HF_MODEL_ID": "/opt/ml/model",
    "SM_NUM_GPUS": "1",
    "MAX_INPUT_LENGTH": "8191",
    "MAX_TOTAL_TOKENS": "8192",
    "MAX_BATCH_PREFILL_TOKENS": "8191",
}


def problems(**changes: str) -> list[LauncherProblem]:
    with pytest.raises(LauncherError) as error:
        parse_environment(JUMPSTART | changes, gpus=4)
    return error.value.problems


def test_jumpstarts_environment_starts() -> None:
    settings = parse_environment(JUMPSTART, gpus=1)
    assert (settings.max_input_length, settings.max_total_tokens, settings.sm_num_gpus) == (8191, 8192, 1)
    assert settings.max_concurrent_requests == 128


def test_the_entry_point_needs_a_model() -> None:
    """`HF_MODEL_ID` is set. Source: TGI 1.1.0, entry point."""
    (problem,) = problems(HF_MODEL_ID="")
    assert (problem.variable, problem.stage, problem.message) == (
        "HF_MODEL_ID",
        Stage.ENTRY_POINT,
        "HF_MODEL_ID must be set",
    )


def test_an_unreadable_value_is_reported_in_claps_words() -> None:
    """Every value is one that the launcher can read. Source: TGI 1.1.0, launcher."""
    (problem,) = problems(MAX_CONCURRENT_REQUESTS="four")
    assert (problem.variable, problem.value, problem.stage) == ("MAX_CONCURRENT_REQUESTS", "four", Stage.ARGUMENTS)
    assert problem.message == (
        "error: invalid value 'four' for '--max-concurrent-requests <MAX_CONCURRENT_REQUESTS>': "
        "invalid digit found in string\n\nFor more information, try '--help'."
    )
    assert problem.fix == "set MAX_CONCURRENT_REQUESTS to a whole number from 0"


def test_sagemakers_own_variable_is_reported_under_the_launchers_option() -> None:
    (problem,) = problems(SM_NUM_GPUS="one")
    assert problem.variable == "SM_NUM_GPUS"
    assert "'--num-shard <NUM_SHARD>'" in problem.message


@pytest.mark.parametrize(
    ("changes", "variable", "message", "fix"),
    [
        (
            {"MAX_INPUT_LENGTH": "8192", "MAX_BATCH_PREFILL_TOKENS": "8192"},
            "MAX_INPUT_LENGTH",
            "`max_input_length` must be < `max_total_tokens`",
            "set MAX_TOTAL_TOKENS above 8192, or MAX_INPUT_LENGTH below 8192",
        ),
        (
            {"MAX_BATCH_PREFILL_TOKENS": "4096"},
            "MAX_BATCH_PREFILL_TOKENS",
            "`max_batch_prefill_tokens` must be >= `max_input_length`. Given: 4096 and 8191",
            "set MAX_BATCH_PREFILL_TOKENS to 8191 or more",
        ),
        (
            {"VALIDATION_WORKERS": "0"},
            "VALIDATION_WORKERS",
            "`validation_workers` must be > 0",
            "set VALIDATION_WORKERS to 2",
        ),
        (
            {"SM_NUM_GPUS": "0"},
            "SM_NUM_GPUS",
            "`num_shard` cannot be < 1",
            "set SM_NUM_GPUS to the number of GPUs of the instance type",
        ),
        (
            {"MAX_BATCH_TOTAL_TOKENS": "8191"},
            "MAX_BATCH_TOTAL_TOKENS",
            "`max_total_tokens` must be <= `max_batch_total_tokens`. Given: 8192 and 8191",
            "leave MAX_BATCH_TOTAL_TOKENS out, or set it to 8192 or more",
        ),
    ],
)
def test_a_broken_rule_of_the_launcher_is_reported_in_its_words(
    changes: dict[str, str], variable: str, message: str, fix: str
) -> None:
    """`MAX_INPUT_LENGTH` < `MAX_TOTAL_TOKENS`. Source: TGI 1.1.0, launcher.

    `MAX_TOTAL_TOKENS` ≤ `MAX_BATCH_TOTAL_TOKENS`. Source: TGI 1.1.0, launcher.

    `VALIDATION_WORKERS` and `SM_NUM_GPUS` are 1 or more. Source: TGI 1.1.0, launcher.
    """
    (problem,) = problems(**changes)
    assert (problem.variable, problem.stage, problem.fix) == (variable, Stage.LAUNCHER, fix)
    assert problem.message == f'Error: ArgumentValidation("{message}")'


def test_following_the_fix_of_a_rule_lets_the_container_start() -> None:
    longer = {"MAX_INPUT_LENGTH": "9000", "MAX_BATCH_PREFILL_TOKENS": "9000"}
    assert problems(**longer)[0].fix.startswith("set MAX_TOTAL_TOKENS above 9000")
    assert parse_environment(JUMPSTART | longer | {"MAX_TOTAL_TOKENS": "9001"}).max_total_tokens == 9001


def test_a_prefill_larger_than_the_batch_is_refused() -> None:
    """`MAX_BATCH_PREFILL_TOKENS` ≤ `MAX_BATCH_TOTAL_TOKENS`. Source: TGI 1.1.0, launcher."""
    first = problems(MAX_BATCH_TOTAL_TOKENS="100")[0]
    assert "`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`. Given: 8191 and 100" in first.message


@pytest.mark.parametrize("variable", ["QUANTIZE", "HF_MODEL_QUANTIZE"])
def test_a_number_format_and_a_quantization_exclude_each_other(variable: str) -> None:
    """`DTYPE` or quantization, not both. Source: TGI 1.1.0, server."""
    (problem,) = problems(DTYPE="float16", **{variable: "bitsandbytes"})
    assert (problem.variable, problem.stage) == ("DTYPE", Stage.SHARD)


def test_as_many_shards_as_do_not_divide_the_heads_are_refused() -> None:
    """Shards divide the 32 attention heads, and there are no more of them than GPUs. Source: TGI 1.1.0, server."""
    (problem,) = problems(SM_NUM_GPUS="3")
    assert "`num_heads` must be divisible by `num_shards`" in problem.message


@pytest.mark.parametrize("fraction", ["0", "-0.5", "1.01", "nan"])
def test_a_share_of_memory_outside_0_to_1_is_refused(fraction: str) -> None:
    """`CUDA_MEMORY_FRACTION` is above 0, and 1 at most. Source: TGI 1.1.0, server."""
    (problem,) = problems(CUDA_MEMORY_FRACTION=fraction)
    assert problem.variable == "CUDA_MEMORY_FRACTION"


def test_more_shards_than_gpus_are_refused() -> None:
    (problem,) = problems(SM_NUM_GPUS="8")
    assert problem.reason == "GPUs of the instance: 4"
    assert problem.message == "RuntimeError: CUDA error: invalid device ordinal"


def test_fewer_shards_than_gpus_start() -> None:
    assert parse_environment(JUMPSTART, gpus=4).sm_num_gpus == 1


def test_every_problem_is_reported_and_the_first_is_the_one_the_container_stops_at() -> None:
    found = problems(
        HF_MODEL_ID="", MAX_TOTAL_TOKENS="many", MAX_BATCH_PREFILL_TOKENS="1", SM_NUM_GPUS="3", CUDA_MEMORY_FRACTION="2"
    )
    assert [problem.variable for problem in found] == [
        "HF_MODEL_ID",
        "MAX_TOTAL_TOKENS",
        "MAX_BATCH_PREFILL_TOKENS",
        "SM_NUM_GPUS",
        "CUDA_MEMORY_FRACTION",
    ]


def test_a_rule_is_not_applied_to_a_value_that_cannot_be_read() -> None:
    (problem,) = problems(MAX_INPUT_LENGTH="", MAX_TOTAL_TOKENS="1", MAX_BATCH_PREFILL_TOKENS="1")
    assert problem.variable == "MAX_INPUT_LENGTH"


def test_the_launchers_own_names_are_read_where_sagemakers_are_absent_or_empty() -> None:
    settings = parse_environment(
        {"HF_MODEL_ID": "/opt/ml/model", "SM_NUM_GPUS": "", "NUM_SHARD": "2", "REVISION": "main"}
    )
    assert (settings.sm_num_gpus, settings.hf_model_revision) == (2, "main")


def test_a_quantization_that_sagemakers_replaces_is_not_read() -> None:
    settings = parse_environment(JUMPSTART | {"QUANTIZE": "nonsense", "HF_MODEL_QUANTIZE": "bitsandbytes"})
    assert settings.quantization == "bitsandbytes"


@pytest.mark.parametrize("variable", ["QUANTIZE", "HF_MODEL_QUANTIZE"])
@pytest.mark.parametrize(("method", "message"), [("eetq", "install EETQ"), ("gptq", "Cannot load `gptq` weight")])
def test_quantizations_that_the_image_or_the_weights_lack_are_refused(variable: str, method: str, message: str) -> None:
    (problem,) = problems(**{variable: method})
    assert (problem.variable, problem.value, problem.stage) == (variable, method, Stage.SHARD)
    assert message in problem.message


def on_a10g(**changes: str) -> list[LauncherProblem]:
    with pytest.raises(LauncherError) as error:
        parse_environment(JUMPSTART | changes, gpus=1, gpu="NVIDIA A10G")
    return error.value.problems


def test_a_prefill_larger_than_the_memory_ends_warm_up_and_the_fix_starts() -> None:
    (problem,) = on_a10g(MAX_BATCH_PREFILL_TOKENS="30000")
    assert (problem.variable, problem.stage) == ("MAX_BATCH_PREFILL_TOKENS", Stage.WARM_UP)
    assert problem.message.startswith("Not enough memory to handle 30000 prefill tokens.")
    # 22.2 GiB less weights and context are 8.927 GB; a token of prefill and of its cache are 230,400 + 131,072 bytes.
    assert problem.fix.endswith("to 24688 or less")
    fixed = parse_environment(JUMPSTART | {"MAX_BATCH_PREFILL_TOKENS": "24688"}, gpus=1, gpu="NVIDIA A10G")
    assert fixed.cache_tokens >= 24688


def test_a_request_larger_than_the_kv_cache_ends_the_router() -> None:
    (problem,) = on_a10g(MAX_TOTAL_TOKENS="53713")
    assert (problem.variable, problem.stage) == ("MAX_TOTAL_TOKENS", Stage.ROUTER)
    assert problem.message.endswith('`max_total_tokens` must be <= `max_batch_total_tokens`. Given: 53713 and 53712")')
    assert parse_environment(JUMPSTART | {"MAX_TOTAL_TOKENS": "53712"}, gpu="NVIDIA A10G").max_total_tokens == 53712


def test_a_share_of_memory_that_the_weights_exceed_is_refused() -> None:
    (problem,) = on_a10g(CUDA_MEMORY_FRACTION="0.6")
    assert (problem.variable, problem.stage) == ("CUDA_MEMORY_FRACTION", Stage.SHARD)


@pytest.mark.parametrize(
    ("gpu", "changes"),
    [("NVIDIA A100", {}), ("NVIDIA A10G", {"QUANTIZE": "bitsandbytes"}), ("NVIDIA A10G", {"SM_NUM_GPUS": "4"})],
)
def test_memory_is_not_checked_where_the_model_does_not_cover_it(gpu: str, changes: dict[str, str]) -> None:
    large = {"MAX_BATCH_PREFILL_TOKENS": "30000", "MAX_TOTAL_TOKENS": "70000"}
    assert parse_environment(JUMPSTART | large | changes, gpus=4, gpu=gpu).max_total_tokens == 70000


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("SHARDED", "yes", "'--sharded <SHARDED>'\n  [possible values: true, false]"),
        ("JSON_OUTPUT", "1", "'--json-output'\n  [possible values: true, false]"),
        ("DISABLE_CUSTOM_KERNELS", "", "'--disable-custom-kernels' but none was supplied"),
        ("MASTER_PORT", "http", "'--master-port <MASTER_PORT>': invalid digit found in string"),
        ("SHARDED", "true", "`sharded` is true but `num_shard` <= 1"),
        ("NGROK", "true", "`ngrok-authtoken` must be set when using ngrok tunneling"),
    ],
)
def test_arguments_without_use_on_sagemaker_are_read_all_the_same(variable: str, text: str, message: str) -> None:
    problem = problems(**{variable: text})[0]
    assert problem.variable == variable
    assert message in problem.message


def test_the_port_is_given_by_the_entry_point_and_not_read() -> None:
    assert parse_environment(JUMPSTART | {"PORT": "eighty"}).max_total_tokens == 8192


def test_every_rule_has_texts_and_every_text_a_rule() -> None:
    assert {name for texts in rules._TEXTS.values() for name in texts} == rules._BROKEN.keys()


def test_infinite_ratios_are_read_as_the_launcher_reads_them() -> None:
    assert parse_environment(JUMPSTART | {"WAITING_SERVED_RATIO": "inf"}).waiting_served_ratio == float("inf")


def test_an_error_says_everything_in_one_line() -> None:
    with pytest.raises(LauncherError, match=r"MAX_BATCH_PREFILL_TOKENS=1: the longest prompt.*; set MAX_BATCH_PREFILL"):
        parse_environment(JUMPSTART | {"MAX_BATCH_PREFILL_TOKENS": "1"})
