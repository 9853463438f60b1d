"""Programs that ask an endpoint what `mistral7b invoke` would ask, to paste into one's own code."""

import json
import re
import shlex
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Literal

from mistral7b.endpoint.caller import endpoint_url
from mistral7b.environment import Environment
from mistral7b.errors import UserError

EXAMPLE = {"instruct": "Which country has the most natural lakes?", "base": "Once upon a time"}
"""The prompt where none is given, by model."""

Language = Literal["python", "curl", "cli"]


def code(language: Language, env: Environment, inputs: str, parameters: Mapping[str, Any], *, stream: bool) -> str:
    """A program that sends `inputs`, which are in the model's format, to AWS or to AWS_ENDPOINT_URL.

    Raises UserError of status 2: only Python reads a stream.
    """
    if stream and language != "python":
        raise UserError(f"--show-code {language} cannot show a stream, whose events are binary\nfix: use python")
    body: dict[str, Any] = {"inputs": inputs, "parameters": dict(parameters), **({"stream": True} if stream else {})}
    suffix = "amazonaws.com.cn" if env.region.startswith("cn-") else "amazonaws.com"
    base = (endpoint_url() or f"https://runtime.sagemaker.{env.region}.{suffix}").rstrip("/")
    values = {
        "region": env.region,
        "name": env.name,
        "endpoint": env.resolved_endpoint_name,
        "body": body if language == "python" else shlex.quote(json.dumps(body, ensure_ascii=False)),
        "url": shlex.quote(f"{base}/endpoints/{env.resolved_endpoint_name}/invocations"),
    }
    program = files("mistral7b_cli") / "programs" / f"{language}{'-stream' if stream else ''}.txt"
    return re.sub(r"\{(\w+)\}", lambda name: str(values[name[1]]), program.read_text(encoding="utf-8"))
