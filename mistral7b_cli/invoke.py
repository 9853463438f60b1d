"""`mistral7b invoke`: one prompt, one answer."""

import itertools
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from typer.core import TyperCommand

from mistral7b.environment import Environment, load_environment
from mistral7b.errors import UserError
from mistral7b.prompts import PromptError, instruction
from mistral7b.tgi.other_names import in_request
from mistral7b_cli.asking import ask, prepare, record, remark, show_as_json, text_shown
from mistral7b_cli.aws import connected
from mistral7b_cli.inputs import ParameterOptions, parse_parameters, read_bytes, read_prompt
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress, say, write, write_json
from mistral7b_cli.show_code import EXAMPLE, Language, code
from mistral7b_cli.waiting import Waiting

commands = typer.Typer()
# What one asks for to look at more than the text.
_ASKS_FOR_DETAILS = {"details", "decoder_input_details", "top_n_tokens", "best_of"}


class _Command(TyperCommand):
    """--show-code without a value means Python: Typer has no option whose value may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Adds the value that was left out."""
        whole = list[str]()
        for one, after in itertools.pairwise([*args, ""]):
            whole.append(f"{one}=python" if one == "--show-code" and after not in get_args(Language) else one)
        return super().parse_args(ctx, whole)


@commands.command(cls=_Command)
def invoke(
    name: EnvironmentName,
    *,
    prompt: Annotated[
        str | None,
        typer.Argument(metavar="PROMPT", help="The prompt. Left out, or -: read from standard input."),
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer as it comes.")] = False,
    parameter: ParameterOptions = None,
    as_json: AsJson = False,
    no_format: Annotated[
        bool, typer.Option("--no-format", help="Send the prompt as it is, not in the Instruct format.")
    ] = False,
    raw: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Send this file as the request's body, as it is (-: standard input), and print the answer's body.",
        ),
    ] = None,
    show_code: Annotated[
        Language | None,
        typer.Option(
            metavar="python|curl|cli",
            help="Print a program that asks this, and ask nothing. Without PROMPT it has an example.",
        ),
    ] = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Send one prompt to the endpoint of an environment.

    --json prints one document: prompt_tokens, generated_text, finish_reason, generated_tokens, seconds, and speed, that
    of the endpoint's clock (1 on AWS); with --stream, a line for each token before it.
    """
    env = load_environment(folder, name)
    if raw is not None:
        if prompt is not None or parameter or as_json or no_format or show_code:
            raise UserError("--raw sends a whole request\nfix: give no prompt, and of the other options only --stream")
        _send_raw(env, folder, read_bytes(raw), stream)
        return
    given = parse_parameters(parameter)
    if show_code and prompt is None:
        prompt = EXAMPLE[env.model]
    question = prepare(_inputs(env, read_prompt(prompt), no_format), given, env, stream=stream)
    if show_code:
        given = {"max_new_tokens": question.request.parameters.max_new_tokens, **given}
        write(code(show_code, env, question.request.inputs, given, stream=stream))
        return
    with connected(env, folder) as client, Waiting(f"waiting for {env.resolved_endpoint_name}") as waiting:
        if stream and not as_json:
            with text_shown(waiting) as show:
                answer = ask(client, question, show)
        else:
            answer = ask(client, question, partial(show_as_json, waiting) if stream else None)
    if as_json:
        document = {"environment": env.name, "endpoint": env.resolved_endpoint_name, **record(question, answer)}
        if given.keys() & _ASKS_FOR_DETAILS and answer.details is not None:
            document["details"] = answer.details.model_dump(mode="json")
        write_json(document, indent=None if stream else 2)
        return
    if not stream:
        write(answer.text.strip() + "\n")
    remark(question, answer)


def _inputs(env: Environment, prompt: str, no_format: bool) -> str:
    if not prompt:
        raise UserError("the prompt is empty\nfix: write one")
    if env.model == "base" or no_format:
        return prompt
    try:
        return instruction(prompt)
    except PromptError as error:
        raise UserError(f"{error}\nfix: --no-format sends the prompt as it is") from None


def _send_raw(env: Environment, folder: Path, body: bytes, stream: bool) -> None:
    for sentence in in_request(body):
        say(sentence, on=progress)
    with connected(env, folder) as client, Waiting(f"waiting for {env.resolved_endpoint_name}") as waiting:
        for part in client.invoke_stream(body) if stream else [client.invoke(body)]:
            waiting.done()
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
