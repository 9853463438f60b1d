"""Synthesizes environments, and checks the templates by CloudFormation's schemas and AWS's own limits."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import botocore.session
import regex  # type: ignore[import-untyped]
from botocore.model import ServiceModel, Shape

from localaws.cloudformation import schema
from localaws.cloudformation.values import UNKNOWN
from mistral7b.environment import Environment
from sagemaker_tgi import InvalidPropsError
from stacks.stage import EnvironmentStage

ROOT = Path(__file__).parents[3]
# CloudFormation's quotas: resources and outputs of a template, bytes of one in S3.
RESOURCES, OUTPUTS, TEMPLATE_BYTES = 500, 200, 1_048_576
# The request that a resource's properties become: its shape has the lengths and patterns that resource schemas lack.
REQUESTS = {
    "AWS::SageMaker::Model": ("sagemaker", "CreateModel"),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "AWS::SageMaker::Endpoint": ("sagemaker", "CreateEndpoint"),
    "AWS::SSM::Parameter": ("ssm", "PutParameter"),
    "AWS::Logs::LogGroup": ("logs", "CreateLogGroup"),
    "AWS::ApplicationAutoScaling::ScalableTarget": ("application-autoscaling", "RegisterScalableTarget"),
}


def refusals(environments: Sequence[tuple[Environment, str]], outdir: Path) -> dict[str, list[str]]:
    """What AWS would refuse of each environment's templates, by the text of its file; nothing for those it takes."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context=context, builtin_cloud_formation_validation=False, outdir=str(outdir))
    texts: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for number, (environment, text) in enumerate(environments):
        name = f"e{number:019d}"  # as long as a name may be
        try:
            EnvironmentStage(app, environment=environment.model_copy(update={"name": name}))
            texts[name] = text
        except InvalidPropsError as error:  # what only a construct can tell: a message, if it is a whole one
            app.node.try_remove_child(name)
            if not regex.search(r"problems? with its props\n  .+=.+: .+; .+", str(error)):
                found[text] = [str(error)]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported with the file
            app.node.try_remove_child(name)
            found[text] = [f"{type(error).__name__}: {error}"]
    app.synth()
    for name, text in texts.items():
        templates = sorted((outdir / f"assembly-{name}").glob("*.template.json"))
        problems = [problem for file in templates for problem in _problems(file)]
        if problems or len(templates) < 2:
            found[text] = problems or ["a template is missing"]
    return found


def _problems(file: Path) -> Iterator[str]:
    template = json.loads(file.read_text())
    counts = (len(template["Resources"]), len(template.get("Outputs", {})), file.stat().st_size)
    if any(count > most for count, most in zip(counts, (RESOURCES, OUTPUTS, TEMPLATE_BYTES), strict=True)):
        yield f"resources, outputs and bytes: {counts}"
    for logical_id, resource in template["Resources"].items():
        kind, properties = resource["Type"], _known(resource.get("Properties", {}))
        for problem in schema.load(kind).problems(properties):
            yield f"{logical_id} ({kind}): {problem}"
        if kind in REQUESTS:
            for problem in _beyond(_request(*REQUESTS[kind]), properties, ""):
                yield f"{logical_id} ({kind}): {problem}"


def _known(value: Any) -> Any:
    """The value with what only the deployment will tell as UNKNOWN."""
    if isinstance(value, dict):
        if any(key == "Ref" or key.startswith("Fn::") for key in value):
            return UNKNOWN
        return {key: _known(inner) for key, inner in value.items()}
    return [_known(inner) for inner in value] if isinstance(value, list) else value


@cache
def _pattern(java: str) -> Any:
    """A pattern of the service models, in which Java's way to write all characters beyond U+FFFF is replaced."""
    return regex.compile(java.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))


@cache
def _request(service: str, operation: str) -> Shape:
    model: ServiceModel = botocore.session.get_session().get_service_model(service)
    return model.operation_model(operation).input_shape


def _beyond(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Where a value is beyond the limits of its shape."""
    if value is UNKNOWN:
        return
    limits = shape.metadata
    size = value if isinstance(value, int | float) else len(value)
    if size > limits.get("max", size) or size < limits.get("min", size):
        yield f"{path}: {size} is not from {limits.get('min')} to {limits.get('max')}"
    if shape.type_name == "string" and "pattern" in limits and not _pattern(limits["pattern"]).fullmatch(str(value)):
        yield f"{path}: {value!r} does not match {limits['pattern']}"
    if shape.type_name == "structure":
        members = {name.lower(): member for name, member in shape.members.items()}
        for name, inner in value.items():
            if name.lower() in members:
                yield from _beyond(members[name.lower()], inner, f"{path}/{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _beyond(shape.member, inner, f"{path}/{index}")
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, inner in value.items():
            yield from _beyond(shape.key, name, f"{path}/{name}")
            yield from _beyond(shape.value, inner, f"{path}/{name}")
