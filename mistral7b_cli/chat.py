"""`mistral7b chat`: a conversation with the Instruct model."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from mistral7b.endpoint.client import EndpointClient
from mistral7b.endpoint.errors import ContainerError
from mistral7b.environment import Environment, load_environment
from mistral7b.errors import UserError
from mistral7b.prompts import Message, PromptError, conversation
from mistral7b.yamlfile import nearest
from mistral7b_cli.asking import ask, prepare, remark, text_shown
from mistral7b_cli.aws import connected, explained
from mistral7b_cli.inputs import ParameterOptions, decoded, parse_parameters
from mistral7b_cli.options import DEFAULT_FOLDER, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress, report, say, write
from mistral7b_cli.waiting import Waiting

_COMMANDS = {
    "/help": "shows this",
    "/reset": "forgets the conversation and starts a new one",
    "/exit": "ends, as /quit and Ctrl-D do",
}
_ENDS = ("/exit", "/quit", "quit", ":q")  # in a pipe, only those with a slash

# The first leaves out the beginning, the second repeats all of it in the answer.
_NOT_IN_A_CONVERSATION = {"truncate", "return_full_text"}


def chat(
    name: EnvironmentName, parameter: ParameterOptions = None, folder: EnvironmentsFolder = DEFAULT_FOLDER
) -> None:
    """Talk with the Instruct model of an environment; it sees the whole conversation at every turn.

    Nothing is ever left out of a conversation: one that has become too long for the endpoint is refused, with its
    length, and `/reset` starts a new one.
    """
    env = load_environment(folder, name)
    if env.model == "base":
        raise UserError(
            f"{env.name} runs the base model, which continues a text and does not converse\n"
            f"fix: ask it with mistral7b invoke {env.name}, or set model: instruct"
        )
    given = parse_parameters(parameter)
    for excluded in given.keys() & _NOT_IN_A_CONVERSATION:
        raise UserError(f"--parameter {excluded} cannot be used in a conversation: the model sees all of it")
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    with connected(env, folder) as client:
        talk = _Conversation(env, given, client)
        with suppress(ContainerError):  # an endpoint that is deployed refuses this: its prompt is empty
            client.invoke(b'{"inputs": ""}')
        if at_terminal:
            say(f"{env.runs}: /help lists the commands, Ctrl-D ends.", "dim", on=progress)
        try:
            _converse(talk, at_terminal=at_terminal)
        except KeyboardInterrupt:
            if at_terminal:
                write("\n")  # after the ^C, for the shell's prompt
            raise


def _converse(talk: "_Conversation", *, at_terminal: bool) -> None:
    for line in _typed_lines() if at_terminal else _piped_lines():
        if line.rstrip() in _ENDS[: None if at_terminal else 2]:
            return
        try:
            talk.turn(line)
        except UserError as error:
            if not at_terminal:
                raise
            report(error, as_json=False)


@dataclass
class _Conversation:
    env: Environment
    given: dict[str, Any]
    client: EndpointClient
    messages: list[Message] = field(default_factory=list)

    def turn(self, line: str) -> None:
        """Does what one line asks for. Raises UserError, and then the conversation is what it was before."""
        if line.startswith("/"):
            self._command(line.strip())
        elif line.strip():
            self._ask([*self.messages, Message("user", line)])

    def _command(self, command: str) -> None:
        if command == "/help":
            for name, meaning in _COMMANDS.items():
                say(f"{name:<8}{meaning}", on=progress)
        elif command == "/reset":
            self.messages = []
            say("a new conversation", "dim", on=progress)
        else:
            guess = nearest(command, _COMMANDS) or "/help"
            raise UserError(f"there is no command {command}\nfix: did you mean {guess}? Begin with a space to send it")

    def _ask(self, messages: list[Message]) -> None:
        try:
            question = prepare(conversation(messages), self.given, self.env, stream=True)
        except (PromptError, UserError) as error:
            again = "\nfix: /reset starts a new conversation" if self.messages else ""
            raise UserError(f"{error}{again}") from None
        waiting = Waiting(f"waiting for {self.env.resolved_endpoint_name}")
        with explained(self.env.region, self.env), waiting, text_shown(waiting) as show:
            answer = ask(self.client, question, show)
        self.messages = [*messages, Message("assistant", answer.text.strip())]
        used = question.prompt_tokens + (answer.details.generated_tokens if answer.details else 0)
        remark(question, answer, more=f"; {used} of {self.env.launcher_settings().max_total_tokens} tokens used")


def _typed_lines() -> Iterator[str]:
    with suppress(ImportError):  # a Python that was built without it has plain input
        import readline  # noqa: F401, PLC0415  # gives input() its editing and history

    while True:
        try:
            yield input("> ")
        except EOFError:
            write("\n")
            return


def _piped_lines() -> Iterator[str]:
    if sys.stdin is not None:
        for line in sys.stdin.buffer:
            yield decoded(line).rstrip("\r\n")
