"""What reaches standard output and standard error."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from mistral7b.errors import UserError
from mistral7b_cli.layout import Table
from mistral7b_cli.output import report, write, write_json
from mistral7b_cli.terminal import SafeConsole, plain, redacted
from mistral7b_cli.waiting import Waiting

HOSTILE = "one\x1b[2J\x9b1mtwo\x07\n\tthree"
OBEYED = {chr(c) for c in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
OBEYED = (OBEYED | set("\u200e\u200f\u061c")) - set("\n\t")
TEXTS = st.text(st.sampled_from([*sorted(OBEYED), *'ab [/]=:\n"字😀']) | st.characters())
SECRET = "wJalrXUtnFEMI+K7MDENG/bPxRfiCY"


def printed(what: str | Table) -> str:
    """What a terminal of 80 columns gets."""
    file = io.StringIO()
    SafeConsole(file=file, width=80, markup=False).print(what)
    return file.getvalue()


def test_a_terminal_gets_an_answer_without_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    write(HOSTILE)
    assert capsys.readouterr().out == "one[2J1mtwo\n\tthree"


def test_a_pipe_gets_an_answer_exactly_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write(HOSTILE)
    assert capsys.readouterr().out == HOSTILE


def test_json_keeps_what_looks_like_an_emoji_or_markup(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"text": ":+1: [bold]"}, indent=None)
    assert capsys.readouterr().out == '{"text": ":+1: [bold]"}\n'


@given(TEXTS)
def test_json_is_the_same_and_has_nothing_that_a_terminal_obeys(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", stream := io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True))
        write_json({text: [text]})
        shown = stream.buffer.getvalue().decode()
    assert json.loads(shown) == {text: [text]}
    assert not OBEYED & set(shown)


@given(TEXTS)
def test_nothing_that_a_terminal_obeys_is_printed(text: str) -> None:
    for shown in (plain(text), printed(text), printed(Table(text, (text, "b"), [(text, text)]))):
        assert not OBEYED & set(shown)


def test_markup_of_a_name_is_printed_as_it_is() -> None:
    assert printed("[bold]a[/x]") == "[bold]a[/x]\n"
    with Waiting("waiting for [/x]", patience_s=0) as waiting:
        assert waiting._spinner.text == Text("waiting for [/x]")


@pytest.mark.parametrize(
    "text",
    [
        f'Could not connect to the endpoint URL: "http://me:{SECRET}@localhost:5600/"',
        f"fatal: could not read from https://x-access-token:{SECRET}@github.com/acme/llm.git",
        f"fatal: https://github.com/acme/llm: ghp_{'a1' * 18} was refused",
        f"https://bucket.s3.amazonaws.com/key?X-Amz-Credential=AKIA%2F&X-Amz-Signature={SECRET}&x=1",
        f"https://s3.amazonaws.com/?AWSAccessKeyId=AKIA&Signature={SECRET}",
        f"headers {{'Authorization': 'AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature={SECRET}'}}",
        f"Authorization: Bearer {SECRET}",
        f"x-amz-security-token:{SECRET}\nhost:sts.amazonaws.com",
        f'{{"SecretAccessKey": "{SECRET}", "SessionToken": "{SECRET}"}}',
        f"aws_session_token={SECRET}",
        f"the connection's token {SECRET} has expired",
    ],
)
def test_no_secret_is_in_a_message(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODECONNECTIONS_TOKEN", SECRET if "connection's" in text else "")
    report(UserError(text), as_json=True)
    told = "".join(capsys.readouterr())
    assert "***" in told
    assert not any(secret in told for secret in (SECRET, "a1a1a1"))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters=" '\""), min_size=1))
def test_a_password_in_a_url_is_never_shown(password: str) -> None:
    assert redacted(f"at http://user:{password}@host:1/x") == "at http://***@host:1/x"


def test_an_ordinary_message_is_left_as_it_is() -> None:
    text = 'no answer from AWS_ENDPOINT_URL http://localhost:5600: max_new_tokens=9, `eval "$(mistral7b local up)"`'
    assert plain(text) == text
