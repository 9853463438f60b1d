"""Hugging Face Text Generation Inference 1.1.0: launcher settings, requests, answers and errors."""

from mistral7b.tgi.errors import TgiError as TgiError
from mistral7b.tgi.launcher import LauncherError as LauncherError
from mistral7b.tgi.launcher import parse_environment as parse_environment
from mistral7b.tgi.request import GenerateParameters as GenerateParameters
from mistral7b.tgi.request import GenerateRequest as GenerateRequest
from mistral7b.tgi.request import UnreadableRequestError as UnreadableRequestError
from mistral7b.tgi.request import parse_request as parse_request
from mistral7b.tgi.response import Generation as Generation
from mistral7b.tgi.response import StreamEvent as StreamEvent
from mistral7b.tgi.response import StreamParser as StreamParser
from mistral7b.tgi.response import parse_generation as parse_generation
from mistral7b.tgi.settings import LauncherOverrides as LauncherOverrides
from mistral7b.tgi.settings import LauncherSettings as LauncherSettings
