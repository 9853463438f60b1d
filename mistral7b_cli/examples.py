"""`mistral7b examples`: the published example prompts."""

from typing import Annotated, Any

import typer

from mistral7b.endpoint.client import EndpointClient
from mistral7b.endpoint.errors import BrokenAnswerError, ContainerError, TimedOutError
from mistral7b.environment import Environment, load_environment
from mistral7b.errors import FAILED, UserError
from mistral7b.examples import Example, Language
from mistral7b.examples import examples as published
from mistral7b.prompts import instruction
from mistral7b_cli.asking import ask, prepare, record
from mistral7b_cli.aws import at_speed, connected, explain
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress, say, write_json
from mistral7b_cli.waiting import Waiting

_SHOWN = 100
"""Characters of a prompt that are shown."""
_ANSWER = ("prompt_tokens", "generated_text", "finish_reason", "generated_tokens", "seconds", "speed")


def examples(
    name: EnvironmentName,
    language: Annotated[Language, typer.Option(help="Language of the prompts, where they are published in it.")] = "en",
    only_list: Annotated[bool, typer.Option("--list", help="Show the prompts and do not ask them.")] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Send every example prompt that was published for the environment's model.

    --json prints a list with the name, language, prompt, generated_text, error, and counts of each.
    """
    env = load_environment(folder, name)
    chosen = [(example, example.language(language)) for example in published(env.model)]
    for example, spoken in chosen:
        if spoken != language:
            say(f"{example.name} is published in {spoken} only", "dim", on=progress)
    if only_list and as_json:
        write_json([{"name": e.name, "language": spoken, "prompt": e.text(spoken)} for e, spoken in chosen])
        return
    if only_list:
        count = f"{len(chosen)} example prompt{'s' if len(chosen) > 1 else ''}"
        rows = [(e.name, ", ".join(e.prompts), _shortened(e.text(spoken))) for e, spoken in chosen]
        say(Table(count, ("name", "languages", "prompt"), rows))
        return
    records = []
    with connected(env, folder) as client:
        for example, spoken in chosen:
            records.append(_ask(example, spoken, env, client))
            if not as_json:
                _print(records[-1])
    if as_json:
        write_json(records)
    failed = [one["name"] for one in records if one["error"]]
    if failed:
        told = f"{len(failed)} of {len(records)} examples were not answered: {', '.join(failed)}"
        raise UserError(told, FAILED, documented=as_json)


def _ask(example: Example, language: Language, env: Environment, client: EndpointClient) -> dict[str, Any]:
    """What is printed of one example, with the error of its prompt. Raises EndpointError for one of the endpoint."""
    text = example.text(language)
    found: dict[str, Any] = {"name": example.name, "language": language, "prompt": text} | dict.fromkeys(_ANSWER)
    found |= {"published_answer": example.published_answer.get(language), "error": None}
    given = {"max_new_tokens": example.parameters.max_new_tokens, "stop": list(example.parameters.stop)}
    try:
        question = prepare(text if env.model == "base" else instruction(text), given, env)
        found["prompt_tokens"] = question.prompt_tokens
        with Waiting(f"asking {example.name}"):
            return found | record(question, ask(client, question))
    except UserError as failure:
        return found | {"error": str(failure)}
    except (ContainerError, TimedOutError, BrokenAnswerError) as failure:
        return found | {"error": explain(failure, env)}


def _print(found: dict[str, Any]) -> None:
    say(f"{found['name']} ({found['language']})", "bold")
    say(f"> {_shortened(found['prompt'])}", "dim")
    if found["error"]:
        say(f"not answered: {found['error']}\n", "red", on=progress)
        return
    say(found["generated_text"].strip())
    published = f"; published: {found['published_answer']}" if found["published_answer"] else ""
    counts = f"{found['prompt_tokens']} prompt tokens, {found['generated_tokens']} generated in {found['seconds']} s"
    say(f"{counts}{at_speed(found['speed'])}, ended by {found['finish_reason']}{published}\n", "dim")


def _shortened(prompt: str) -> str:
    line = " ".join(prompt.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
