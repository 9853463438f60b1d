"""Reading a request's body: serde's types, axum's refusals."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.tgi import GenerateParameters, GenerateRequest, UnreadableRequestError, parse_request
from mistral7b.tgi.request import MAX_BODY_BYTES

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)
REQUEST = '{"unknown":[1,-2.5e3,{"a":null,"b":[true,false]},"\\n"],"inputs":"x","parameters":{"seed":1}}'


def status(body: bytes | str) -> int:
    """What the container answers to a body: 200 if it is a request."""
    try:
        read(body)
    except UnreadableRequestError as error:
        return error.status
    return 200


def read(body: bytes | str, content_type: str | None = "application/json") -> GenerateRequest:
    return parse_request(content_type, body.encode() if isinstance(body, str) else body)


def refusal(body: bytes | str, content_type: str | None = "application/json") -> tuple[int, str]:
    with pytest.raises(UnreadableRequestError) as error:
        read(body, content_type)
    return error.value.status, str(error.value)


def test_inputs_is_the_only_required_field() -> None:
    assert read('{"inputs":"Hello"}') == GenerateRequest(inputs="Hello")
    assert read('{"inputs":"Hello"}').parameters.max_new_tokens == 20


def test_every_parameter_is_read() -> None:
    parameters: dict[str, Any] = {
        "best_of": 2,
        "temperature": 0.5,
        "repetition_penalty": 1.5,
        "top_k": 10,
        "top_p": 0.25,
        "typical_p": 0.75,
        "do_sample": True,
        "max_new_tokens": 100,
        "return_full_text": False,
        "stop": ["a", "b"],
        "truncate": 5,
        "watermark": True,
        "details": True,
        "decoder_input_details": True,
        "seed": 2**64 - 1,
        "top_n_tokens": 3,
    }
    request = read(json.dumps({"inputs": "x", "parameters": parameters, "stream": True}))
    assert request == GenerateRequest(inputs="x", parameters=GenerateParameters(**parameters), stream=True)


def test_null_is_the_default_where_the_router_has_an_option() -> None:
    assert read('{"inputs":"x","parameters":{"seed":null,"top_k":null}}') == GenerateRequest(inputs="x")


def test_unknown_fields_are_ignored() -> None:
    deep = "[" * 100 + "1e999" + "]" * 100
    assert read(f'{{"model":{deep},"inputs":"x","parameters":{{"who":{{}}}}}}') == GenerateRequest(inputs="x")


@pytest.mark.parametrize("ignored", [b'"\\ud800"', b"1e999", b'"\xff"', b'{"\\udfff":["\xff"]}'])
def test_content_of_ignored_fields_is_not_decoded(ignored: bytes) -> None:
    assert read(b'{"model":' + ignored + b',"inputs":"x"}') == GenerateRequest(inputs="x")


def test_very_deep_json_is_refused_with_400() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert "model: recursion limit exceeded" in refusal(f'{{"model":{deep},"inputs":"x"}}')[1]


def test_text_after_the_request_is_ignored() -> None:
    assert read('{"inputs":"x"} and more') == GenerateRequest(inputs="x")


def test_a_request_may_be_an_array_of_its_fields() -> None:
    request = GenerateRequest(inputs="x", parameters=GenerateParameters(seed=3), stream=True)
    assert read('["x",{"seed":3},true]') == request


def test_numbers_have_the_width_of_f32() -> None:
    parameters = read('{"inputs":"x","parameters":{"temperature":1e-50,"top_p":1e300,"typical_p":0.1}}').parameters
    assert parameters.temperature == 0.0
    assert parameters.top_p == float("inf")
    assert parameters.typical_p == 0.10000000149011612


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json", "APPLICATION/JSON; charset=utf-8", "application/x+json", "application/json+xml"),
        *("application/*+json", "application/json;", 'application/json; a="b c" ; d=e', "application/json;charset="),
    ],
)
def test_json_has_several_content_types(content_type: str) -> None:
    assert read('{"inputs":"x"}', content_type).inputs == "x"


@pytest.mark.parametrize(
    "content_type",
    [
        *(None, "", "text/plain", "application/x-json", "application/jsonlines", "application/json ; charset=utf-8"),
        *(
            "application/json;;",
            "application/json; a=b c",
            "application/json; a",
            "application/+json",
            "application/x+y",
        ),
    ],
)
def test_another_content_type_is_refused_with_415(content_type: str | None) -> None:
    assert refusal('{"inputs":"x"}', content_type) == (415, "Expected request with `Content-Type: application/json`")


def test_a_body_over_2_mib_is_refused_with_413() -> None:
    body = json.dumps({"inputs": "x" * MAX_BODY_BYTES})
    assert refusal(body) == (413, "Failed to buffer the request body: length limit exceeded")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("nul", "EOF while parsing a value at line 1 column 3"),
        ("<html>", "expected value at line 1 column 1"),
        ('{"inputs":"x",}', "trailing comma at line 1 column 15"),
        ('{"inputs":"x" "stream":true}', "expected `,` or `}` at line 1 column 15"),
        ('{"inputs" "x"}', "inputs: expected `:` at line 1 column 11"),
        ("{inputs:1}", "key must be a string at line 1 column 2"),
        ('{"inputs":"x', "inputs: EOF while parsing a string at line 1 column 12"),
        ('{"inputs":"x"', "EOF while parsing an object at line 1 column 13"),
        ('{"inputs":"\\x"}', "inputs: invalid escape at line 1 column 13"),
        ('{"inputs":"\\u"}', "inputs: EOF while parsing a string at line 1 column 15"),
        ('{"inputs":"\\ud800"}', "inputs: unexpected end of hex escape at line 1 column 18"),
        ('{"inputs":"\\ud800\\u0041"}', "inputs: lone leading surrogate in hex escape at line 1 column 23"),
        ('{"inputs":"x","parameters":{,}}', "parameters.?: key must be a string at line 1 column 29"),
        ('{"inputs":"x","parameters":{"seed":1 2}}', "parameters.?: expected `,` or `}` at line 1 column 38"),
        ('{"inputs":"x","more":[1,]}', "more: trailing comma at line 1 column 25"),
        ('["x",{},false, 1]', "trailing characters at line 1 column 16"),
        ('{"inputs":"x","more":NaN}', "more: expected value at line 1 column 22"),
        ('{"inputs":"x","more":01}', "more: invalid number at line 1 column 23"),
        ('{"inputs":"x","stream":1.}', "stream: invalid number at line 1 column 26"),
        (
            '{"inputs":"x","parameters":{"top_p":1e999}}',
            "parameters.top_p: number out of range at line 1 column 41",
        ),
    ],
)
def test_what_is_not_json_is_refused_with_400(body: str, reason: str) -> None:
    assert refusal(body) == (400, f"Failed to parse the request body as JSON: {reason}")


def test_text_that_is_not_utf_8_is_refused_with_400() -> None:
    assert refusal(b'{"inputs":"\xff"}')[0] == 400


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{}", "missing field `inputs` at line 1 column 2"),
        ("[]", "invalid length 0, expected struct CompatGenerateRequest with 3 elements at line 1 column 2"),
        ("5", "invalid type: integer `5`, expected struct CompatGenerateRequest at line 1 column 1"),
        ('{"inputs":null}', "inputs: invalid type: null, expected a string at line 1 column 14"),
        ('{"inputs":[1]}', "inputs: invalid type: sequence, expected a string at line 1 column 10"),
        ('{\n  "inputs": true}', "inputs: invalid type: boolean `true`, expected a string at line 2 column 16"),
        ('{"inputs":"x","inputs":"y"}', "duplicate field `inputs` at line 1 column 22"),
        (
            '{"inputs":"x","parameters":"y"}',
            'parameters: invalid type: string "y", expected struct GenerateParameters at line 1 column 30',
        ),
        (
            '{"inputs":"x","parameters":{"max_new_tokens":"9"}}',
            'parameters.max_new_tokens: invalid type: string "9", expected u32 at line 1 column 48',
        ),
        (
            '{"inputs":"x","parameters":{"max_new_tokens":null}}',
            "parameters.max_new_tokens: invalid type: null, expected u32 at line 1 column 49",
        ),
        (
            '{"inputs":"x","parameters":{"max_new_tokens":-1}}',
            "parameters.max_new_tokens: invalid value: integer `-1`, expected u32 at line 1 column 47",
        ),
        (
            '{"inputs":"x","parameters":{"max_new_tokens":5.0}}',
            "parameters.max_new_tokens: invalid type: floating point `5`, expected u32 at line 1 column 48",
        ),
        (
            '{"inputs":"x","parameters":{"seed":18446744073709551616}}',
            "parameters.seed: invalid type: floating point `18446744073709552000`, expected u64 at line 1 column 55",
        ),
        (
            '{"inputs":"x","parameters":{"stop":"a"}}',
            'parameters.stop: invalid type: string "a", expected a sequence at line 1 column 38',
        ),
        (
            '{"inputs":"x","parameters":{"stop":["a",3]}}',
            "parameters.stop[1]: invalid type: integer `3`, expected a string at line 1 column 41",
        ),
        (
            '{"inputs":"x","parameters":{"do_sample":1}}',
            "parameters.do_sample: invalid type: integer `1`, expected a boolean at line 1 column 41",
        ),
    ],
)
def test_json_of_another_shape_is_refused_with_422(body: str, reason: str) -> None:
    assert refusal(body) == (422, f"Failed to deserialize the JSON body into the target type: {reason}")


@given(JSON, st.sampled_from(["inputs", "parameters", "stream"]))
def test_any_json_in_a_field_is_a_request_or_refused_with_a_client_error(value: object, field: str) -> None:
    assert status(json.dumps({"inputs": "x"} | {field: value})) in (200, 400, 422)


@given(JSON.filter(lambda value: not isinstance(value, list)))
def test_any_json_but_an_array_is_a_request_or_refused_with_422(value: object) -> None:
    assert status(json.dumps(value)) in (200, 422)


@given(JSON, st.booleans())
def test_any_json_may_stand_in_an_unknown_field(value: object, escaped: bool) -> None:
    body = json.dumps({"unknown": value, "inputs": "x"}, ensure_ascii=escaped)
    assert read(body) == GenerateRequest(inputs="x")


@given(st.binary())
def test_any_bytes_are_a_request_or_refused_with_a_client_error(body: bytes) -> None:
    assert status(body) in (200, 400, 422)


@given(st.integers(0, len(REQUEST)), st.integers(0, 3), st.text('{}[]":,\\ 0-.enu', max_size=2))
def test_every_accepted_body_is_json(start: int, removed: int, inserted: str) -> None:
    body = REQUEST[:start] + inserted + REQUEST[start + removed :]
    if status(body) == 200:
        json.JSONDecoder(parse_constant=pytest.fail).raw_decode(body.lstrip())


@given(TEXT, st.booleans())
def test_a_prompt_is_read_as_it_was_written(inputs: str, escaped: bool) -> None:
    assert read(json.dumps({"inputs": inputs}, ensure_ascii=escaped)).inputs == inputs
