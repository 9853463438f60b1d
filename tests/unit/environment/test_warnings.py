"""What a synth warns of, and how a file acknowledges it."""

import pytest

from mistral7b.environment.warnings import never_scheduled
from tests.unit.environment.conftest import Load


def test_jumpstarts_own_settings_are_warned_of_with_the_remedy(load: Load) -> None:
    [(where, text)] = never_scheduled([load("region: us-east-1")]).items()
    assert where == "dev"
    assert text.startswith("dev: TGI accepts prompts of 8177 to 8191 tokens and never schedules them")
    assert "Set MAX_BATCH_PREFILL_TOKENS to 8192, or MAX_INPUT_LENGTH to 8176, under `tgi:`" in text


@pytest.mark.parametrize("tgi", ["MAX_BATCH_PREFILL_TOKENS: 8192", "MAX_INPUT_LENGTH: 8176"])
def test_either_remedy_ends_the_warning(tgi: str, load: Load) -> None:
    assert never_scheduled([load(f"region: us-east-1\ntgi: {{{tgi}}}")]) == {}


def test_jumpstarts_value_written_out_acknowledges_the_warning(load: Load) -> None:
    assert never_scheduled([load("region: us-east-1\ntgi: {MAX_INPUT_LENGTH: 8191}")]) == {}


def test_own_lengths_with_the_same_flaw_are_warned_of(load: Load) -> None:
    text = never_scheduled([load("region: us-east-1\ntgi: {MAX_INPUT_LENGTH: 5000, MAX_BATCH_PREFILL_TOKENS: 5000}")])
    assert "prompts of 4993 to 5000 tokens" in text["dev"]


def test_environments_with_one_flaw_are_one_warning(load: Load) -> None:
    dev = load("region: us-east-1")
    prod = dev.model_copy(update={"name": "prod"})
    other = load("region: us-east-1\ntgi: {MAX_INPUT_LENGTH: 8190}").model_copy(update={"name": "other"})
    assert [text.split(":")[0] for text in never_scheduled([dev, prod, other]).values()] == ["dev, prod", "other"]
