"""Launcher settings and overrides of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from mistral7b.tgi import LauncherOverrides, LauncherSettings, parse_environment


def test_defaults_are_the_launchers() -> None:
    settings = LauncherSettings()
    assert settings.max_concurrent_requests == 128
    assert (settings.max_input_length, settings.max_total_tokens) == (1024, 2048)
    assert (settings.max_batch_prefill_tokens, settings.max_batch_total_tokens) == (4096, None)
    assert (settings.waiting_served_ratio, settings.max_waiting_tokens) == (1.2, 20)
    assert (settings.max_best_of, settings.max_stop_sequences, settings.max_top_n_tokens) == (2, 4, 5)


def test_overrides_have_the_settings_of_a_container() -> None:
    assert LauncherOverrides.model_fields.keys() == LauncherSettings.model_fields.keys()
    for name, field in LauncherSettings.model_fields.items():
        override = LauncherOverrides.model_fields[name]
        assert (override.alias, override.description) == (field.alias, field.description)
        assert override.default is None


def test_every_setting_is_described_in_one_sentence() -> None:
    for field in LauncherSettings.model_fields.values():
        assert field.description is not None
        assert field.description.endswith(".")


def test_no_override_is_an_empty_environment() -> None:
    assert LauncherOverrides().to_environment() == {}


def test_an_environment_has_the_text_of_every_override() -> None:
    overrides = LauncherOverrides.model_validate(
        {
            "MAX_CONCURRENT_REQUESTS": 4,
            "HF_MODEL_TRUST_REMOTE_CODE": True,
            "WAITING_SERVED_RATIO": 2,
            "CUDA_MEMORY_FRACTION": 0.95,
            "QUANTIZE": "bitsandbytes-nf4",
            "DTYPE": None,
        }
    )
    assert overrides.to_environment() == {
        "MAX_CONCURRENT_REQUESTS": "4",
        "HF_MODEL_TRUST_REMOTE_CODE": "true",
        "WAITING_SERVED_RATIO": "2.0",
        "CUDA_MEMORY_FRACTION": "0.95",
        "QUANTIZE": "bitsandbytes-nf4",
    }


def test_the_container_reads_back_what_an_environment_says() -> None:
    given: dict[str, Any] = {
        "HF_MODEL_ID": "/opt/ml/model",
        "MAX_INPUT_LENGTH": 100,
        "MAX_TOTAL_TOKENS": 200,
        "WAITING_SERVED_RATIO": 0.3,
        "ROPE_SCALING": "dynamic",
        "ROPE_FACTOR": 2.0,
        "HF_MODEL_TRUST_REMOTE_CODE": False,
    }
    environment = LauncherOverrides.model_validate(given).to_environment()
    assert parse_environment(environment).model_dump(by_alias=True, exclude_unset=True) == given


@pytest.mark.parametrize(
    "wrong",
    [
        {"MAX_CONCURRENT_REQUESTS": "4"},
        {"MAX_CONCURRENT_REQUESTS": True},
        {"MAX_CONCURRENT_REQUESTS": 4.0},
        {"MAX_CONCURRENT_REQUESTS": 0},
        {"MAX_INPUT_LENGTH": 0},
        {"SM_NUM_GPUS": 0},
        {"VALIDATION_WORKERS": 0},
        {"MAX_BEST_OF": -1},
        {"MAX_BATCH_PREFILL_TOKENS": 2**32},
        {"CUDA_MEMORY_FRACTION": 0.0},
        {"CUDA_MEMORY_FRACTION": 1.1},
        {"WAITING_SERVED_RATIO": float("nan")},
        {"ROPE_FACTOR": float("inf")},
        {"QUANTIZE": "int8"},
        {"HF_MODEL_ID": ""},
        {"HF_MODEL_TRUST_REMOTE_CODE": "true"},
        {"max_concurrent_requests": 4},
        {"MAX_CONCURENT_REQUESTS": 4},
    ],
)
def test_an_override_of_the_wrong_type_range_or_name_is_refused(wrong: dict[str, object]) -> None:
    (variable,) = wrong
    with pytest.raises(ValidationError) as error:
        LauncherOverrides.model_validate(wrong)
    assert error.value.errors()[0]["loc"][0] == variable


def test_sagemakers_quantization_wins_over_the_launchers() -> None:
    settings = LauncherSettings.model_validate({"QUANTIZE": "gptq", "HF_MODEL_QUANTIZE": "awq"})
    assert settings.quantization == "awq"
