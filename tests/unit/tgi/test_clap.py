"""How the launcher reads the text of a variable."""

import pytest

from mistral7b.tgi.clap import InvalidValueError, RustType, parse_argument


@pytest.mark.parametrize(
    ("rust_type", "text", "value"),
    [
        (RustType.USIZE, "0", 0),
        (RustType.USIZE, "+7", 7),
        (RustType.USIZE, "18446744073709551615", 2**64 - 1),
        (RustType.U32, "4294967295", 2**32 - 1),
        (RustType.F32, "1.2", 1.2),
        (RustType.F32, ".5", 0.5),
        (RustType.F32, "5.", 5.0),
        (RustType.F32, "1e-2", 0.01),
        (RustType.F32, "inf", float("inf")),
        (RustType.BOOL, "true", True),
        (RustType.BOOL, "false", False),
        (RustType.STRING, "", ""),
    ],
)
def test_a_value_is_read_as_rust_reads_it(rust_type: RustType, text: str, value: object) -> None:
    assert parse_argument("NAME", rust_type, text) == value


@pytest.mark.parametrize(
    ("rust_type", "text", "reason"),
    [
        (RustType.USIZE, "abc", "invalid digit found in string"),
        (RustType.USIZE, "-1", "invalid digit found in string"),
        (RustType.USIZE, "1_000", "invalid digit found in string"),
        (RustType.USIZE, " 1", "invalid digit found in string"),
        (RustType.USIZE, "4.0", "invalid digit found in string"),
        (RustType.USIZE, "٤", "invalid digit found in string"),
        (RustType.USIZE, "", "cannot parse integer from empty string"),
        (RustType.USIZE, "18446744073709551616", "number too large to fit in target type"),
        (RustType.U32, "4294967296", "4294967296 is not in 0..=4294967295"),
        (RustType.U32, "-1", "-1 is not in 0..=4294967295"),
        (RustType.F32, "", "cannot parse float from empty string"),
        (RustType.F32, "1,2", "invalid float literal"),
        (RustType.F32, "0x1p3", "invalid float literal"),
    ],
)
def test_a_number_that_rust_cannot_read_is_refused_in_claps_words(rust_type: RustType, text: str, reason: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_argument("MAX_BEST_OF", rust_type, text)
    assert str(error.value) == f"invalid value '{text}' for '--max-best-of <MAX_BEST_OF>': {reason}"


def test_an_unknown_choice_is_refused_with_the_choices() -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_argument("DTYPE", RustType.CHOICE, "int8", ("float16", "bfloat16"))
    assert str(error.value) == ("invalid value 'int8' for '--dtype <DTYPE>'\n  [possible values: float16, bfloat16]")


@pytest.mark.parametrize(
    ("text", "tip"),
    [
        ("bfloat", "bfloat16"),
        ("f", "float16"),
        ("float61", "float16"),
        ("fp16", None),
        ("int8", None),
        ("BFLOAT16", None),
    ],
)
def test_a_choice_like_an_unknown_one_is_suggested_as_clap_does(text: str, tip: str | None) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_argument("DTYPE", RustType.CHOICE, text, ("float16", "bfloat16"))
    assert str(error.value).partition("\n\n  tip: a similar value exists: ")[2] == (f"'{tip}'" if tip else "")


def test_an_empty_choice_is_a_missing_value() -> None:
    with pytest.raises(InvalidValueError, match="a value is required for '--dtype <DTYPE>' but none was supplied"):
        parse_argument("DTYPE", RustType.CHOICE, "", ("float16", "bfloat16"))


def test_a_flag_is_true_or_false_only() -> None:
    with pytest.raises(InvalidValueError, match=r"invalid value '1' for '--trust-remote-code'"):
        parse_argument("TRUST_REMOTE_CODE", RustType.BOOL, "1")
