"""`mistral7b chat`: a conversation with the Instruct model."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import typer

from mistral7b.environment import Environment, load_environment
from mistral7b.prompts import Message, PromptError, conversation
from mistral7b.yamlfile import nearest
from mistral7b_cli.asking import Answer, Question, ask_streaming, prepare, remark
from mistral7b_cli.connection import connected, explained
from mistral7b_cli.failure import CommandError, show
from mistral7b_cli.options import DEFAULT_FOLDER, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress
from mistral7b_cli.parameters import ParameterOptions, parse_parameters
from mistral7b_cli.standard_input import decoded
from mistral7b_cli.streaming import TextWriter
from mistral7b_cli.waiting import Waiting

if TYPE_CHECKING:
    from mistral7b.endpoint import EndpointClient

_COMMANDS = {
    "/help": "shows this",
    "/reset": "forgets the conversation and starts a new one",
    "/exit": "ends, as Ctrl-D does",
}

# The first leaves out the beginning, the second repeats all of it in the answer.
_SPOIL_A_CONVERSATION = {"truncate", "return_full_text"}

_EPILOG = """
**Examples**

`mistral7b chat dev`

`mistral7b chat dev -p temperature=0.7 -p max_new_tokens=500`

`printf 'My name is Ann.\\nWhat is my name?\\n' | mistral7b chat dev`

In the conversation, `/help` lists the commands. With a pipe every line is a turn, and the first that is not answered
ends the command with status 1.
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("chat", epilog=_EPILOG)(chat)


def chat(
    name: EnvironmentName, parameter: ParameterOptions = None, folder: EnvironmentsFolder = DEFAULT_FOLDER
) -> None:
    """Talk with the Instruct model of an environment; it sees the whole conversation at every turn.

    Nothing is ever left out of a conversation: one that has become too long for the endpoint is refused, with its
    length, and `/reset` starts a new one.
    """
    env = load_environment(folder, name)
    if env.model == "base":
        raise CommandError(
            f"{env.name} runs the base model, which continues a text and does not converse: "
            f"ask it with `mistral7b invoke {env.name}`, or set `model: instruct`",
            2,
        )
    given = parse_parameters(parameter)
    for spoiling in given.keys() & _SPOIL_A_CONVERSATION:
        raise CommandError(f"--parameter {spoiling} does not go with a conversation, of which the model sees all", 2)
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    with connected(env, folder) as client:
        talk = _Conversation(env, given, client)
        if at_terminal:
            model = f"{env.version.jumpstart_id} {env.version.version}"
            progress.print(f"{model}: /help lists the commands, Ctrl-D ends.", style="dim")
        for line in _typed_lines() if at_terminal else _piped_lines():
            if line.strip() == "/exit":
                return
            try:
                talk.turn(line)
            except CommandError as error:
                if not at_terminal:
                    raise
                show(str(error))


class _Conversation:
    def __init__(self, env: Environment, given: dict[str, Any], client: "EndpointClient") -> None:
        self._env = env
        self._settings = env.launcher_settings()
        self._given = given
        self._client = client
        self._messages: list[Message] = []

    def turn(self, line: str) -> None:
        """Does what one line asks for. Raises CommandError, and then the conversation is what it was before."""
        if not line.strip():
            return
        if line.startswith("/"):
            self._command(line.strip())
            return
        messages = [*self._messages, Message("user", line)]
        question = self._prepare(messages)
        answer = self._ask(question)
        self._messages = [*messages, Message("assistant", answer.text.strip())]
        used = question.prompt_tokens + (answer.generated_tokens or 0)
        remark(question, answer, more=f"; {used} of {self._settings.max_total_tokens} tokens used")

    def _command(self, command: str) -> None:
        if command == "/help":
            for name, meaning in _COMMANDS.items():
                progress.print(f"{name:<8}{meaning}", markup=False)
        elif command == "/reset":
            self._messages = []
            progress.print("a new conversation", style="dim")
        else:
            guess = nearest(command, _COMMANDS) or "/help"
            raise CommandError(f"there is no command {command}; did you mean {guess}? Begin with a space to send it", 2)

    def _prepare(self, messages: list[Message]) -> Question:
        again = "; /reset starts a new conversation" if self._messages else ""
        try:
            return prepare(conversation(messages), self._given, self._env, self._settings)
        except (PromptError, CommandError) as error:
            raise CommandError(f"{error}{again}", 2) from None

    def _ask(self, question: Question) -> Answer:
        with explained(self._env), Waiting(f"waiting for {self._env.resolved_endpoint_name}") as waiting:
            return ask_streaming(self._client, question, self._settings, TextWriter(waiting))


def _typed_lines() -> Iterator[str]:
    with suppress(ImportError):  # a Python that was built without it has plain input
        import readline  # noqa: F401, PLC0415  # gives input() its editing and history

    while True:
        try:
            yield input("> ")
        except EOFError:
            sys.stdout.write("\n")
            return


def _piped_lines() -> Iterator[str]:
    if sys.stdin is not None:
        for line in sys.stdin.buffer:
            yield decoded(line).rstrip("\r\n")
