"""Hugging Face Text Generation Inference 1.1.0: launcher settings, requests, answers and errors."""

from mistral7b.tgi.launcher import LauncherError, parse_environment
from mistral7b.tgi.rules import LauncherProblem, check
from mistral7b.tgi.settings import LauncherOverrides, LauncherSettings

__all__ = [
    "LauncherError",
    "LauncherOverrides",
    "LauncherProblem",
    "LauncherSettings",
    "check",
    "parse_environment",
]
