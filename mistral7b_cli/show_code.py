"""Programs that ask an endpoint what `mistral7b invoke` would ask, to paste into one's own code."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Literal

from mistral7b.endpoint.caller import endpoint_url
from mistral7b.environment import Environment
from mistral7b.errors import UserError

EXAMPLE = {"instruct": "Which country has the most natural lakes?", "base": "Once upon a time"}
"""The prompt where none is given, by model."""

_PYTHON = """\
import json

import boto3
from botocore.config import Config

session = boto3.Session(region_name="{region}")
endpoint = session.client("ssm").get_parameter(Name="/mistral7b/{name}/endpoint-name")["Parameter"]["Value"]
config = Config(read_timeout={timeout}, retries={{"total_max_attempts": 1}})  # {why}
runtime = session.client("sagemaker-runtime", config=config)
body = {body}
"""
_WHOLE = """\
answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=json.dumps(body))
print(json.load(answer["Body"])[0]["generated_text"])
"""
_STREAM = """\
answer = runtime.invoke_endpoint_with_response_stream(
    EndpointName=endpoint, ContentType="application/json", Body=json.dumps(body)
)
rest = b""
for part in answer["Body"]:
    *lines, rest = (rest + part["PayloadPart"]["Bytes"]).split(b"\\n")  # a part may end inside an event
    for event in (json.loads(line[5:]) for line in lines if line.startswith(b"data:")):
        if "error" in event:
            raise RuntimeError(event["error"])
        if not event["token"]["special"]:
            print(event["token"]["text"], end="", flush=True)
print()
"""
# Without a token there is no such header: curl would sign an empty one, but not send it.
_CURL = """\
curl -sS --max-time 70 --aws-sigv4 "aws:amz:{region}:sagemaker" \\
  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\
  ${{AWS_SESSION_TOKEN:+"-Hx-amz-security-token: $AWS_SESSION_TOKEN"}} -H "content-type: application/json" \\
  {url} \\
  --data {body}
"""
_CLI = """\
printf %s {body} |
  AWS_MAX_ATTEMPTS=1 aws sagemaker-runtime invoke-endpoint --region {region} --cli-read-timeout 70 \\
    --endpoint-name {endpoint} --content-type application/json \\
    --body fileb:///dev/stdin answer.json > /dev/null && cat answer.json
"""


Language = Literal["python", "curl", "cli"]


def code(language: Language, env: Environment, inputs: str, parameters: Mapping[str, Any], *, stream: bool) -> str:
    """A program that sends `inputs`, which are in the model's format, to AWS or to AWS_ENDPOINT_URL.

    Raises UserError of status 2: only Python reads a stream.
    """
    if language == "python":
        timeout, why = (490, "longer than SageMaker's 8 minutes") if stream else (70, "longer than SageMaker's 60 s")
        head = _PYTHON.format(
            region=env.region,
            name=env.name,
            timeout=timeout,
            why=f"{why}; never sent twice",
            body={"inputs": inputs, "parameters": dict(parameters), **({"stream": True} if stream else {})},
        )
        return head + (_STREAM if stream else _WHOLE)
    if stream:
        raise UserError(f"--show-code {language} cannot show a stream, whose events are binary\nfix: use python")
    suffix = "amazonaws.com.cn" if env.region.startswith("cn-") else "amazonaws.com"
    base = (endpoint_url() or f"https://runtime.sagemaker.{env.region}.{suffix}").rstrip("/")
    return (_CURL if language == "curl" else _CLI).format(
        region=env.region,
        endpoint=env.resolved_endpoint_name,
        body=shlex.quote(json.dumps({"inputs": inputs, "parameters": parameters}, ensure_ascii=False)),
        url=shlex.quote(f"{base}/endpoints/{env.resolved_endpoint_name}/invocations"),
    )
