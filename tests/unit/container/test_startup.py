"""What a container writes to its log when it starts or does not."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mistral7b.container import start
from mistral7b.container.pace import Clock
from mistral7b.container.router import TgiContainer

ENVIRONMENT = {"HF_MODEL_ID": "/opt/ml/model", "SM_NUM_GPUS": "1"}


@dataclass(frozen=True)
class Launch:
    """What SageMaker gives a container, as far as TGI reads it."""

    environment: dict[str, str]
    instance_type: str
    log: Callable[[str], None]
    network_isolation: bool = True
    clock: Clock | None = None


def started(instance_type: str = "ml.g5.2xlarge", **environment: str) -> tuple[TgiContainer | None, list[str]]:
    """The container, and its log."""
    log: list[str] = []
    return start(Launch(environment, instance_type, log.append)), log


def test_the_arguments_are_logged_as_the_launcher_logs_them() -> None:
    environment = {
        "QUANTIZE": "bitsandbytes-nf4",
        "WAITING_SERVED_RATIO": "0.5",
        "ROPE_SCALING": "dynamic",
        "MAX_BATCH_TOTAL_TOKENS": "5000",
    }
    _, _, line = started(**ENVIRONMENT, **environment)[1][0].partition("Z ")
    assert line == (
        " INFO text_generation_launcher: "
        'Args { model_id: "/opt/ml/model", revision: None, validation_workers: 2, sharded: None, num_shard: Some(1), '
        "quantize: Some(BitsandbytesNF4), dtype: None, trust_remote_code: false, max_concurrent_requests: 128, "
        "max_best_of: 2, max_stop_sequences: 4, max_top_n_tokens: 5, max_input_length: 1024, max_total_tokens: 2048, "
        "waiting_served_ratio: 0.5, max_batch_prefill_tokens: 4096, max_batch_total_tokens: Some(5000), "
        'max_waiting_tokens: 20, hostname: "container-0.local", port: 8080, '
        'shard_uds_path: "/tmp/text-generation-server", master_addr: "localhost", master_port: 29500, '
        'huggingface_hub_cache: Some("/tmp"), weights_cache_override: None, disable_custom_kernels: false, '
        "cuda_memory_fraction: 1.0, rope_scaling: Some(Dynamic), rope_factor: None, json_output: false, "
        "otlp_endpoint: None, cors_allow_origin: [], watermark_gamma: None, watermark_delta: None, ngrok: false, "
        "ngrok_authtoken: None, ngrok_edge: None, env: false }"
    )


def test_a_container_that_starts_has_settings() -> None:
    container, log = started(**ENVIRONMENT, MAX_BEST_OF="3")
    assert container is not None
    assert container.settings.max_best_of == 3
    assert "no weights are loaded" in log[-1]


def test_shards_are_logged() -> None:
    _, log = started("ml.g5.12xlarge", HF_MODEL_ID="/opt/ml/model", SM_NUM_GPUS="4")
    assert any("Sharding model on 4 processes" in line for line in log)


def test_more_shards_than_gpus_are_started_where_the_gpus_are_not_known() -> None:
    assert started("ml.p5.48xlarge", HF_MODEL_ID="/opt/ml/model", SM_NUM_GPUS="8")[0] is not None


def test_the_entry_point_says_what_is_missing() -> None:
    assert started() == (None, ["HF_MODEL_ID must be set"])


def test_an_unreadable_argument_is_logged_line_by_line() -> None:
    assert started(**ENVIRONMENT, DTYPE="int8")[1] == [
        "error: invalid value 'int8' for '--dtype <DTYPE>'",
        "  [possible values: float16, bfloat16]",
        "For more information, try '--help'.",
    ]


def test_only_the_first_problem_is_logged() -> None:
    _, log = started(**ENVIRONMENT, MAX_INPUT_LENGTH="5000", CUDA_MEMORY_FRACTION="7")
    assert log[-1] == 'Error: ArgumentValidation("`max_input_length` must be < `max_total_tokens`")'
    assert len(log) == 2


def test_arguments_without_use_on_sagemaker_are_logged_as_given() -> None:
    _, log = started(**ENVIRONMENT, SHARDED="false", JSON_OUTPUT="true", CORS_ALLOW_ORIGIN="*", MASTER_PORT="7")
    assert "sharded: Some(false)" in log[0]
    assert 'json_output: true, otlp_endpoint: None, cors_allow_origin: ["*"]' in log[0]
    assert "master_port: 7," in log[0]


def shown(log: list[str]) -> list[str]:
    """Lines without their times."""
    return [re.sub(r"^\S+Z +", "", line) for line in log[1:]]


def test_warm_up_without_memory_is_logged_as_by_server_router_and_launcher() -> None:
    container, log = started(**ENVIRONMENT, MAX_BATCH_PREFILL_TOKENS="30000")
    reason = "Not enough memory to handle 30000 prefill tokens. You need to decrease `--max-batch-prefill-tokens`"
    assert container is None
    assert shown(log) == [
        "INFO text_generation_launcher: Starting Webserver",
        "INFO text_generation_router: router/src/main.rs:213: Warming up model",
        f"ERROR text_generation_launcher: Method Warmup encountered an error.\n\nRuntimeError: {reason}",
        "ERROR warmup{max_input_length=1024 max_prefill_tokens=30000}:warmup: text_generation_client: "
        f"router/client/src/lib.rs:33: Server error: {reason}",
        f'Error: Warmup(Generation("{reason}"))',
        "ERROR text_generation_launcher: Webserver Crashed",
        "INFO text_generation_launcher: Shutting down shards",
        "INFO shard-manager: text_generation_launcher: Shard terminated rank=0",
        "Error: WebserverFailed",
    ]


def test_a_request_larger_than_the_kv_cache_ends_the_router() -> None:
    container, log = started(**ENVIRONMENT, MAX_TOTAL_TOKENS="70000")
    assert container is None
    assert 'Error: ArgumentValidation("`max_total_tokens` must be <= `max_batch_total_tokens`. Given: 70000' in log[3]
    assert log[-1] == "Error: WebserverFailed"


def test_a_model_from_the_hub_starts_only_with_a_network() -> None:
    environment, log = ENVIRONMENT | {"HF_MODEL_ID": "mistralai/Mistral-7B-v0.1"}, list[str]()
    assert started(**environment)[1][-1] == "Error: DownloadError"
    assert start(Launch(environment, "ml.g5.2xlarge", log.append, network_isolation=False)) is not None


def test_a_shard_that_fails_says_why_before_the_launcher_gives_up() -> None:
    _, log = started(**ENVIRONMENT, DTYPE="float16", QUANTIZE="awq")
    shard = next(line for line in log if "standard error" in line)
    assert " ERROR shard-manager: text_generation_launcher: Shard complete standard error output:" in shard
    assert "Only 1 can be set between `dtype` and `quantize`" in shard
    assert log[-1] == "Error: ShardCannotStart"


class NewYear:
    """A clock that stands still."""

    def seconds(self) -> float:
        """New Year 2030."""
        return 1_893_456_000.0

    def real(self, seconds: float) -> float:
        """The same."""
        return seconds


def started_at_new_year(instance_type: str = "ml.g5.2xlarge", **environment: str) -> list[str]:
    """The log of a container that starts with that clock."""
    log: list[str] = []
    assert start(Launch(ENVIRONMENT | environment, instance_type, log.append, clock=NewYear())) is not None
    return log


def test_lines_have_the_clocks_time() -> None:
    assert started_at_new_year()[0].startswith("2030-01-01T00:00:00.000000Z ")


def test_nothing_is_said_of_an_instance_type_that_the_model_covers() -> None:
    assert not any("ml.g5.2xlarge" in line for line in started_at_new_year())


@pytest.mark.parametrize(
    ("instance_type", "changed", "reason"),
    [
        ("ml.g5.12xlarge", {"SM_NUM_GPUS": "4"}, "ml.g5.12xlarge has 4 × NVIDIA A10G"),
        ("ml.p5.48xlarge", {}, "ml.p5.48xlarge"),
        ("ml.g5.2xlarge", {"QUANTIZE": "bitsandbytes-nf4"}, "quantization bitsandbytes-nf4"),
    ],
)
def test_what_the_model_does_not_cover_takes_the_measured_times_and_the_log_says_so(
    instance_type: str, changed: dict[str, str], reason: str
) -> None:
    log = started_at_new_year(instance_type, **changed)
    [line] = [line for line in log if "answers take the times of ml.g5.2xlarge" in line]
    assert reason in line
