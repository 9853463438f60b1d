"""Hugging Face Text Generation Inference 1.1.0: launcher settings, requests, answers and errors."""

from mistral7b.tgi.errors import TgiError
from mistral7b.tgi.launcher import LauncherError, parse_environment
from mistral7b.tgi.request import GenerateParameters, GenerateRequest, UnreadableRequestError, parse_request
from mistral7b.tgi.response import Generation, StreamEvent, StreamParser, parse_generation
from mistral7b.tgi.rules import LauncherProblem
from mistral7b.tgi.settings import LauncherOverrides, LauncherSettings

__all__ = [
    "GenerateParameters",
    "GenerateRequest",
    "Generation",
    "LauncherError",
    "LauncherOverrides",
    "LauncherProblem",
    "LauncherSettings",
    "StreamEvent",
    "StreamParser",
    "TgiError",
    "UnreadableRequestError",
    "parse_environment",
    "parse_generation",
    "parse_request",
]
