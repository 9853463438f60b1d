"""A container whose answers a real model's server writes: llama.cpp, vLLM, Ollama or TGI."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import fields
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.container import backends
from mistral7b.container.router import Response, TgiContainer
from mistral7b.container.startup import start
from mistral7b.operate.logs import parse
from mistral7b.tgi import LauncherSettings
from mistral7b.tgi.request import GenerateParameters
from mistral7b.tgi.response import StreamParser, parse_generation
from tests.unit.container.backend_servers import MODELS, PATHS, Fake, events_of, lines_of, served, stream_of
from tests.unit.container.test_startup import ENVIRONMENT, Launch

ALL = list(MODELS)
OTHERS = [name for name in ALL if name != "TGI"]
TEXTS = ["Par", "is", " é完"]


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    """Each backend."""
    return str(request.param)


@pytest.fixture
def fake(name: str) -> Iterator[Fake]:
    """Its server, which answers with three texts and the end of sequence."""
    with served(name) as running:
        running.parts = [stream_of(name, TEXTS, "stop", 4)]
        yield running


class Asked:
    """A container on a backend, and its log."""

    def __init__(self, url: str, **changed: Any) -> None:
        self.log: list[str] = []
        limits = LauncherSettings().model_copy(update=changed)
        started = backends.start(url, limits, self.log.append)
        assert started is not None, self.log
        self.container: TgiContainer = started

    def response(self, inputs: str = "Hi", *, stream: bool = False, **parameters: Any) -> tuple[Response, bytes]:
        """The response to a prompt, and its whole body."""

        async def ask() -> tuple[Response, bytes]:
            body = {"inputs": inputs, "parameters": parameters, "stream": stream}
            found = await self.container.invoke({"content-type": "application/json"}, json.dumps(body).encode())
            whole = found.body if isinstance(found.body, bytes) else b"".join([part async for part in found.body])
            return found, whole

        return asyncio.run(ask())

    def whole(self, inputs: str = "Hi", **parameters: Any) -> dict[str, Any]:
        """The answer to a prompt."""
        response, body = self.response(inputs, **parameters)
        assert response.status == 200, body
        parse_generation(body)
        [answer] = json.loads(body)
        assert isinstance(answer, dict)
        return answer

    def events(self, inputs: str = "Hi", **parameters: Any) -> list[dict[str, Any]]:
        """The events of a streamed answer."""
        _, body = self.response(inputs, stream=True, **parameters)
        list(StreamParser().feed(body))
        return events(body)

    def refusal(self, inputs: str = "Hi", **parameters: Any) -> tuple[int, dict[str, str]]:
        """Status and body of an error."""
        response, body = self.response(inputs, **parameters)
        error = json.loads(body)
        assert isinstance(error, dict)
        return response.status, error


def events(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(event.removeprefix(b"data:")) for event in body.split(b"\n\n") if event]


def refused_url(url: str) -> str:
    """The line of the log of a container that does not start with this URL."""
    log: list[str] = []
    assert backends.start(url, LauncherSettings(), log.append) is None
    [line] = log
    return line


# Finding out what answers


def test_each_backend_is_recognized_by_what_it_answers(fake: Fake, name: str) -> None:
    asked = Asked(fake.url)
    path, _ = MODELS[name]
    model = {"/info": "/opt/ml/model", "/api/tags": "mistral:latest"}.get(path)
    model = model or {"llama.cpp": "smol.gguf", "vLLM": "mistralai/Mistral-7B"}[name]
    assert asked.log == [f"Embedded AWS: {name} at {fake.url} writes the answers, with the model {model}"]


def test_a_model_of_several_is_chosen_in_the_url() -> None:
    with served() as fake:
        fake.listings["/api/tags"] = {"models": [{"name": "llama3:8b"}, {"name": "mistral:latest"}]}
        fake.parts = [stream_of("Ollama", TEXTS, "stop", 4)]
        Asked(f"{fake.url}/?model=mistral").whole()
        assert fake.received[0]["model"] == "mistral:latest"
        assert refused_url(fake.url).endswith(
            "Ollama at " + fake.url + " has llama3:8b, mistral:latest: choose by ?model= (now '')"
        )
        assert "mistral:latest: choose by ?model= (now 'gpt')" in refused_url(f"{fake.url}?model=gpt")


def test_a_path_in_the_url_stands_before_the_backends_own() -> None:
    with served() as fake:
        path, listing = MODELS["vLLM"]
        fake.listings[f"/behind{path}"] = listing
        fake.parts = [stream_of("vLLM", TEXTS, "stop", 4)]
        Asked(f"{fake.url}/behind/").whole()
        assert fake.received[0]["path"] == "/behind/v1/completions"


def test_a_server_of_something_else_does_not_start_the_container() -> None:
    with served() as fake:
        fake.listings["/v1/models"] = b"<html>"
        line = refused_url(fake.url)
        assert line.startswith(
            f"Error: MISTRAL7B_MODEL_URL: {fake.url} answers as none of llama.cpp, vLLM, TGI, Ollama"
        )
        assert "/api/tags answered 404: not found" in line


def test_an_ollama_without_a_model_does_not_start_the_container() -> None:
    with served() as fake:
        fake.listings["/api/tags"] = {"models": []}
        assert refused_url(fake.url).endswith(
            "answers as none of llama.cpp, vLLM, TGI, Ollama with a model (/api/tags lists no model)"
        )


def test_a_server_that_cannot_be_reached_is_named_in_the_log() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert url in refused_url(url)
    assert "refused" in refused_url(url).lower() or "connect call failed" in refused_url(url).lower()


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "ftp://localhost",
        "http://",
        "http://[x",
        "http://user:secret@h",
        "http://h?key=secret",
    ],
)
def test_other_urls_are_refused_without_repeating_them(url: str) -> None:
    line = refused_url(url)
    assert line.startswith("Error: MISTRAL7B_MODEL_URL: write http://HOST:PORT")
    assert "secret" not in line


def test_no_proxy_is_used(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert Asked(fake.url).whole()["generated_text"] == "Paris é完"


def test_the_container_starts_with_the_backend_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    with served("vLLM") as fake:
        monkeypatch.setenv("MISTRAL7B_MODEL_URL", fake.url)
        assert isinstance(start(Launch(ENVIRONMENT, "ml.g5.2xlarge", log.append)), backends.BackendContainer)
    assert "no weights" not in log[-1]


# Answers


def test_an_answer_has_the_format_of_tgi(fake: Fake, name: str) -> None:
    answer = Asked(fake.url).whole(details=True)
    assert list(answer) == ["generated_text", "details"]
    assert answer["generated_text"] == "Paris é完"
    details = answer["details"]
    assert list(details) == ["finish_reason", "generated_tokens", "seed", "prefill", "tokens"]
    assert (details["finish_reason"], details["generated_tokens"], details["seed"]) == ("eos_token", 4, None)
    end = {"id": 2, "text": "</s>", "logprob": -0.1, "special": True}
    if name != "TGI":
        end = {"id": None, "text": "", "logprob": None, "special": True}
        assert details["tokens"][0] == {"id": None, "text": "Par", "logprob": None, "special": False}
    assert [token["text"] for token in details["tokens"][:-1]] == TEXTS
    assert details["tokens"][-1] == end


def test_an_answer_without_details_has_text_only(fake: Fake) -> None:
    assert Asked(fake.url).whole() == {"generated_text": "Paris é完"}


def test_a_stream_has_an_event_for_each_token(fake: Fake) -> None:
    *others, last = Asked(fake.url).events(details=True)
    assert [event["token"]["text"] for event in others] == TEXTS
    assert all(event["generated_text"] is None and event["details"] is None for event in others)
    assert last["generated_text"] == "Paris é完"
    assert last["details"] == {"finish_reason": "eos_token", "generated_tokens": 4, "seed": None}


def test_the_length_ends_an_answer_at_its_last_token(fake: Fake, name: str) -> None:
    fake.parts = [stream_of(name, TEXTS, "length", 3)]
    found = Asked(fake.url).events(details=True, max_new_tokens=3)
    assert [event["token"]["text"] for event in found] == TEXTS
    assert found[-1]["details"]["finish_reason"] == "length"


@pytest.mark.parametrize("one", OTHERS)
def test_the_backend_counts_the_tokens_where_a_part_has_several(one: str) -> None:
    with served(one) as fake:
        fake.parts = [stream_of(one, ["Paris is"], "length", 3)]
        found = Asked(fake.url).events(details=True, max_new_tokens=3)
    assert found[-1]["generated_text"] == "Paris is"
    assert found[-1]["details"]["generated_tokens"] == 3


def test_a_stop_sequence_stays_at_the_end_of_the_text(fake: Fake) -> None:
    answer = Asked(fake.url).whole(stop=["nowhere", "ris"], details=True)
    assert answer["generated_text"] == "Paris"
    assert (answer["details"]["finish_reason"], answer["details"]["generated_tokens"]) == ("stop_sequence", 2)
    assert "stop" not in fake.received[0] or fake.received[0]["stop"] == []


def test_a_stop_sequence_ends_the_backends_work() -> None:
    with served("vLLM") as fake:
        fake.endless = events_of([{"choices": [{"text": "x", "finish_reason": None}]}])
        assert Asked(fake.url).whole(stop=["xx"])["generated_text"] == "xx"
        assert fake.left.wait(10)


@pytest.mark.parametrize("stream", [False, True])
def test_the_prompt_is_repeated_before_the_text_where_asked_for(fake: Fake, stream: bool) -> None:
    asked = Asked(fake.url)
    found = asked.events(return_full_text=True)[-1] if stream else asked.whole(return_full_text=True)
    assert found["generated_text"] == "HiParis é完"


def test_a_header_says_which_backend_answered(fake: Fake, name: str) -> None:
    fake.listings = {MODELS[name][0]: json.loads(json.dumps(MODELS[name][1]).replace("mistral", "é\\n"))}
    for stream in (False, True):
        response, _ = Asked(fake.url).response(stream=stream)
        value = response.headers["x-amzn-sagemaker-custom-attributes"]
        assert value.startswith(f"backend={name}; model=")
        assert value.isascii()
        assert value.isprintable()


@settings(max_examples=30, deadline=None)
@given(st.data())
@pytest.mark.parametrize("one", ALL)
def test_the_stream_is_read_alike_wherever_its_bytes_are_cut(one: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=4))
    whole = stream_of(one, texts, "stop", len(texts) + 1)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    async def cut(*_: object) -> Any:
        for part in parts:
            yield part

    async def read() -> list[dict[str, Any]]:
        return [found async for found in backends._objects("http://localhost", {})]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backends, "_answer", cut)
        found = asyncio.run(read())
    shown = json.dumps(found, ensure_ascii=False)
    assert all(json.dumps(text, ensure_ascii=False) in shown for text in texts)
    assert len(found) == len([line for line in whole.split(b"\n") if line and b"[DONE]" not in line])


# What the backend is asked


def test_each_backend_is_asked_for_a_raw_completion(fake: Fake, name: str) -> None:
    Asked(fake.url).whole("[INST] Hi [/INST]", max_new_tokens=7)
    [sent] = fake.received
    assert sent["path"] == PATHS[name]
    assert sent.get("prompt", sent.get("inputs")) == "[INST] Hi [/INST]"
    lengths = {"Ollama": ("options", "num_predict"), "TGI": ("parameters", "max_new_tokens")}
    place, field = lengths.get(name, ("", "max_tokens"))
    assert (sent[place] if place else sent)[field] == 7
    assert name != "Ollama" or sent["raw"] is True


@pytest.mark.parametrize("one", OTHERS)
def test_a_request_that_does_not_sample_is_greedy_whatever_the_backends_default(one: str) -> None:
    with served(one) as fake:
        fake.parts = [stream_of(one, TEXTS, "stop", 4)]
        asked = Asked(fake.url)
        asked.whole()
        asked.whole(do_sample=True)
        sent = [received.get("options", received) for received in fake.received]
    assert [one["temperature"] for one in sent] == [0.0, 1.0]
    assert all(one["top_p"] == 1.0 and one["min_p"] == 0.0 for one in sent)


def test_sampling_options_reach_the_backend(fake: Fake, name: str) -> None:
    Asked(fake.url).whole(temperature=0.5, top_k=9, top_p=0.75, seed=2**33 + 5)
    sent = fake.received[0].get("options", fake.received[0].get("parameters", fake.received[0]))
    assert (sent["temperature"], sent["top_k"], sent["top_p"]) == (0.5, 9, 0.75)
    assert sent["seed"] == (2**33 + 5 if name == "TGI" else 5)


def test_ollama_gets_the_endpoints_context_and_truncates_nothing() -> None:
    with served("Ollama") as fake:
        fake.parts = [stream_of("Ollama", TEXTS, "stop", 4)]
        Asked(fake.url, max_total_tokens=3000).whole()
        [sent] = fake.received
    assert sent["options"]["num_ctx"] == 3000
    assert sent["options"]["stop"] == []
    assert sent["truncate"] is sent["shift"] is False


def test_llama_cpp_looks_for_repetitions_in_all_of_the_context() -> None:
    with served("llama.cpp") as fake:
        fake.parts = [stream_of("llama.cpp", TEXTS, "stop", 4)]
        Asked(fake.url, max_total_tokens=3000).whole(repetition_penalty=1.25)
        [sent] = fake.received
    assert (sent["repeat_penalty"], sent["repeat_last_n"]) == (1.25, 3000)


@pytest.mark.parametrize(("truncate", "prompt"), [(3, "seven eight"), (9, "one two three four five six seven eight")])
def test_the_prompt_is_truncated_as_tgi_does(fake: Fake, truncate: int, prompt: str) -> None:
    Asked(fake.url).whole("one two three four five six seven eight", truncate=truncate)
    sent = fake.received[0]
    assert sent.get("prompt", sent.get("inputs")) == prompt


# What is refused


@pytest.mark.parametrize("one", ALL)
def test_every_parameter_is_honoured_or_refused(one: str) -> None:
    table = json.loads(files("mistral7b.container").joinpath("backends.json").read_text("utf-8"))
    by_the_container = {"do_sample", "return_full_text", "stop", "truncate", "details"}
    known = {*table[one]["fields"], *table[one]["refused"]} | by_the_container
    assert {field.name for field in fields(GenerateParameters)} <= known


@pytest.mark.parametrize(
    "parameters",
    [
        {"watermark": True},
        {"typical_p": 0.5},
        {"repetition_penalty": 1.2},
        {"top_n_tokens": 2},
        {"best_of": 2, "do_sample": True},
        {"decoder_input_details": True},
    ],
    ids=lambda given: str(next(iter(given))),
)
def test_ollama_refuses_by_name_what_it_cannot_do(parameters: dict[str, Any]) -> None:
    with served("Ollama") as fake:
        status, error = Asked(fake.url).refusal(**parameters)
        assert fake.received == []
    option = next(iter(parameters))
    assert (status, error["error_type"]) == (422, "validation")
    assert error["error"] == (
        f"Input validation error: `{option}` cannot be passed on to Ollama (MISTRAL7B_MODEL_URL): leave it out"
    )


@pytest.mark.parametrize("parameters", [{"best_of": 1}, {"repetition_penalty": 1.0}, {"top_n_tokens": 0}])
def test_an_option_without_effect_is_not_refused(fake: Fake, parameters: dict[str, Any]) -> None:
    assert Asked(fake.url).whole(**parameters)["generated_text"] == "Paris é完"


def test_tgis_own_rules_come_before_the_backends(fake: Fake) -> None:
    asked = Asked(fake.url, max_concurrent_requests=1)
    assert asked.refusal(temperature=0.0, decoder_input_details=True)[1]["error"].endswith("strictly positive")
    assert asked.refusal(max_new_tokens=5000)[0] == 422
    [event] = events(asked.response(stream=True, max_new_tokens=0)[1])
    assert event["error_type"] == "validation"
    assert fake.received == []
    assert all(parse(line)[0] == "ERROR" for line in asked.log[1:])


def test_requests_over_the_limit_are_refused_while_the_backend_writes() -> None:
    with served("llama.cpp") as fake:
        fake.endless = events_of([{"choices": [{"text": "x", "finish_reason": None}]}])
        container = Asked(fake.url, max_concurrent_requests=1).container

        async def both() -> list[Response]:
            headers = {"content-type": "application/json"}
            first = await container.invoke(headers, b'{"inputs": "Hi", "stream": true}')
            assert not isinstance(first.body, bytes)
            async with aclosing(first.body) as parts:
                await anext(parts)
                second = await container.invoke(headers, b'{"inputs": "Hi"}')
            return [first, second, await container.invoke(headers, b'{"inputs": "", "stream": false}')]

        assert [response.status for response in asyncio.run(both())] == [200, 429, 422]
        assert container.in_flight == 0


# Failures


def broken(fake: Fake) -> None:
    fake.parts, fake.cut = [b'data: {"choices": [{"text": "Par'], True


def early(fake: Fake) -> None:
    fake.parts = [events_of([{"choices": [{"text": "Par", "finish_reason": None}]}])]


def unreadable(fake: Fake) -> None:
    fake.parts = [b"data: {nonsense\n\n"]


def refusing(fake: Fake) -> None:
    fake.status, fake.parts = 400, [b'{"error": {"message": "exceeds the available context size"}}']


def failing(fake: Fake) -> None:
    fake.parts = [b'data: {"error": {"message": "out of memory"}}\n\n']


def aborted(fake: Fake) -> None:
    fake.parts = [events_of([{"choices": [{"text": "", "finish_reason": "abort"}]}])]


FAILURES: list[tuple[Callable[[Fake], None], str]] = [
    (broken, "peer closed connection"),
    (early, "ended without an answer's end (None)"),
    (unreadable, "the backend sent {nonsense"),
    (refusing, "/v1/completions answered 400: "),
    (failing, "out of memory"),
    (aborted, "ended without an answer's end (abort)"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("breaks", "words"), FAILURES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_failure_of_the_backend_is_tgis_generation_error(
    breaks: Callable[[Fake], None], words: str, stream: bool
) -> None:
    with served("vLLM") as fake:
        breaks(fake)
        asked = Asked(fake.url)
        response, body = asked.response(stream=stream)
    error = events(body)[-1] if stream else json.loads(body)
    assert response.status == (200 if stream else 424)
    assert error["error_type"] == "generation"
    assert error["error"].startswith("Request failed during generation: ")
    assert words in error["error"]
    assert asked.container.in_flight == 0
    level, logged = parse(asked.log[-1])
    assert level == "ERROR"
    assert "Request failed during generation" in logged


def test_a_long_page_of_another_server_is_told_on_one_short_line() -> None:
    with served("vLLM") as fake:
        fake.status, fake.parts = 403, [b"<html>\n  <body>\n" + 10_000 * b"no "]
        _, error = Asked(fake.url).refusal()
    assert "answered 403: <html> <body> no no" in error["error"]
    assert len(error["error"]) < 800


def test_an_error_of_ollama_in_the_stream_is_told() -> None:
    with served("Ollama") as fake:
        fake.parts = [lines_of([{"response": "Par"}, {"error": "an error was encountered while running the model"}])]
        status, error = Asked(fake.url).refusal()
    assert status == 424
    assert "while running the model" in error["error"]


def test_a_backend_that_falls_silent_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "SILENT_SECONDS", 0.05)
    with served("vLLM") as fake:
        fake.silent = True
        status, error = Asked(fake.url).refusal()
    assert status == 424
    assert error["error"].endswith("no answer in time")


@pytest.mark.parametrize("whole", [False, True])
def test_a_client_that_goes_ends_the_backends_work(whole: bool) -> None:
    with served("llama.cpp") as fake:
        fake.endless = events_of([{"choices": [{"text": "x", "finish_reason": None}]}])
        container = Asked(fake.url).container

        async def leave() -> None:
            headers = {"content-type": "application/json"}
            body = json.dumps({"inputs": "Hi", "stream": not whole}).encode()
            task = asyncio.ensure_future(container.invoke(headers, body))
            if whole:
                while not fake.received:
                    await asyncio.sleep(0.01)
                task.cancel()
                await asyncio.wait([task])
                return
            response = await task
            assert not isinstance(response.body, bytes)
            async with aclosing(response.body) as parts:
                await anext(parts)

        asyncio.run(leave())
        assert fake.left.wait(10)
        assert container.in_flight == 0


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_logged_as_by_tgi(fake: Fake, stream: bool) -> None:
    asked = Asked(fake.url)
    asked.response(stream=stream)
    level, message = parse(asked.log[-1])
    assert level == "INFO"
    assert message.startswith("Success, ")


def test_a_server_that_lists_no_models_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_PROBE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(backends.BackendError, match=r"does not answer within 0\.05 s"):
            asyncio.run(backends.Backend.connect(url))
