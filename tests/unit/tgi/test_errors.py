"""TGI's errors, written and read."""

import pytest

from mistral7b.tgi import TgiError


def test_an_error_is_written_as_the_router_writes_it() -> None:
    assert TgiError.overloaded().to_json() == '{"error":"Model is overloaded","error_type":"overloaded"}'


def test_an_error_is_read_from_the_message_that_sagemaker_hands_on() -> None:
    error = TgiError.from_body(422, TgiError.validation("`inputs` cannot be empty").to_json())
    assert (error.status, error.error_type) == (422, "validation")
    assert str(error) == "Input validation error: `inputs` cannot be empty"


@pytest.mark.parametrize("body", ["plain text", "{}", "[]", '"x"', '{"error":"x"}', ""])
def test_any_other_body_is_the_message_itself(body: str) -> None:
    error = TgiError.from_body(500, body)
    assert (error.status, error.error_type, error.message) == (500, None, body)
