"""What AWS would refuse of a template: its schemas, its services' request models, and quotas that neither has.

Values that only a deployment tells are taken to be right where their form counts, and to be long where length does.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sagehost.cloudformation import schema
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.providers.provider import SettingsOnly
from sagehost.cloudformation.values import UNKNOWN
from sagehost.validation.model import violations
from tests.unit.constraints import shapes

Template = dict[str, Any]
Resource = dict[str, Any]

# CloudFormation user guide, "Understand CloudFormation quotas": the template's text counts as it is uploaded.
MOST_RESOURCES, MOST_OUTPUTS, MOST_PARAMETERS, TEMPLATE_BYTES = 500, 200, 200, 1_048_576
NAME_LENGTH, DESCRIPTION_BYTES, EXPORT_LENGTH = 255, 1024, 255
# Tags of a resource, and the shortest of all services' limits for a key (EC2) and a value.
MOST_TAGS, TAG_KEY_LENGTH, TAG_VALUE_LENGTH = 50, 127, 256
# EC2 API, CreateSecurityGroup and IpRange.
GROUP_DESCRIPTION = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")
# Systems Manager user guide, "Parameter names": levels of a hierarchy, and words that no name begins with.
PARAMETER_LEVELS, PARAMETER_RESERVED = 15, ("aws", "ssm")
# Characters of a policy, by the kind of resource and property that holds it.
POLICY_SIZES = {
    # IAM user guide, quotas: whitespace is not counted. A role's inline policies: `of_inline_policies`.
    ("AWS::IAM::Role", "AssumeRolePolicyDocument"): 2_048,
    ("AWS::EC2::VPCEndpoint", "PolicyDocument"): 20_480,  # Amazon VPC user guide, quotas
    ("AWS::KMS::Key", "KeyPolicy"): 32_768,  # AWS KMS developer guide, resource quotas
    ("AWS::S3::BucketPolicy", "PolicyDocument"): 20_480,  # Amazon S3 user guide, bucket policies
    ("AWS::SNS::TopicPolicy", "PolicyDocument"): 30_720,  # Amazon SNS endpoints and quotas
}
INLINE_POLICIES = 10_240
# EnvironmentMap and EnvironmentKey in the SageMaker API.
MOST_VARIABLES, VARIABLE = 100, re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}")


def problems(template: Template) -> Iterator[str]:
    """Everything that AWS would refuse, each with resource and property."""
    yield from of_the_template(template)
    yield from of_inline_policies(template)
    for name, resource in template["Resources"].items():
        for check in (of_the_schema, of_the_request, of_the_container, of_tags, of_policies, of_texts):
            for problem in check(resource):
                yield f"{name} ({resource['Type']}): {problem}"


def of_the_template(template: Template) -> Iterator[str]:
    """Quotas of CloudFormation."""
    size = len(json.dumps(template, indent=1).encode())
    outputs = template.get("Outputs", {})
    for what, count, most in (
        ("resources", len(template["Resources"]), MOST_RESOURCES),
        ("outputs", len(outputs), MOST_OUTPUTS),
        ("parameters", len(template.get("Parameters", {})), MOST_PARAMETERS),
        ("bytes", size, TEMPLATE_BYTES),
        ("bytes of description", len(template.get("Description", "").encode()), DESCRIPTION_BYTES),
    ):
        if count > most:
            yield f"{count} {what}, and {most} are allowed"
    for name in (*template["Resources"], *outputs):
        if not re.fullmatch(rf"[A-Za-z0-9]{{1,{NAME_LENGTH}}}", name):
            yield f"{name} is no logical id"
    for name, output in outputs.items():
        export = longest(output.get("Export", {}).get("Name", "x"))
        if not re.fullmatch(rf"[A-Za-z0-9:-]{{1,{EXPORT_LENGTH}}}", export):
            yield f"output {name}: {export} is no name of an export"
        if len(output.get("Description", "").encode()) > DESCRIPTION_BYTES:
            yield f"output {name}: its description is too long"


def of_the_schema(resource: Resource) -> Iterator[str]:
    """Types, enumerations, patterns, lengths and ranges of CloudFormation's resource schemas."""
    yield from schema.load(resource["Type"]).problems(known(resource.get("Properties", {})))


def of_the_request(resource: Resource) -> Iterator[str]:
    """Lengths, ranges, patterns and enumerations of the request that creates it, as far as its model has them.

    The embedded AWS knows which request that is, and which property is which parameter.
    """
    provider = PROVIDERS[resource["Type"]]
    operation = shapes.operation(provider.service, provider.create_with)
    if isinstance(provider, SettingsOnly) or operation is None:
        return
    members = {name.lower(): name for name in operation.input_shape.members}
    sent = {
        members[parameter]: value
        for name, value in resource.get("Properties", {}).items()
        if (parameter := provider.rename.get(name, name).lower()) in members
    }
    given = {name: longest(value) if name.endswith("Document") else known(value) for name, value in sent.items()}
    yield from shapes.beyond(operation.input_shape, given)
    given.pop(members.get("tags", ""), None)  # which CloudFormation arranges in its own way
    for problem in violations(provider.service, operation.name, given):
        if problem.value is not None:  # what is missing: CloudFormation adds it
            yield str(problem)


def of_the_container(resource: Resource) -> Iterator[str]:
    """A map of text to text, which neither the schema nor the walk of the request looks into."""
    if resource["Type"] != "AWS::SageMaker::Model":
        return
    variables = resource["Properties"]["PrimaryContainer"]["Environment"]
    if len(variables) > MOST_VARIABLES:
        yield f"{len(variables)} variables, and {MOST_VARIABLES} are allowed"
    for name, value in variables.items():
        if not VARIABLE.fullmatch(name) or not isinstance(value, str):
            yield f"no variable: {name}={value!r}"


def of_tags(resource: Resource) -> Iterator[str]:
    """The tightest of the services' limits, for all: a tag of the environment is on every resource."""
    tags = resource.get("Properties", {}).get("Tags", [])
    pairs = list(tags.items()) if isinstance(tags, dict) else [(tag["Key"], tag["Value"]) for tag in tags]
    if len(pairs) > MOST_TAGS:
        yield f"{len(pairs)} tags, and {MOST_TAGS} are allowed"
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        yield "tags that differ in case alone"
    for key, value in pairs:
        if not 0 < len(key) <= TAG_KEY_LENGTH or len(value) > TAG_VALUE_LENGTH or key.lower().startswith("aws:"):
            yield f"no tag: {key}={value}"


def of_policies(resource: Resource) -> Iterator[str]:
    """Sizes of policies."""
    properties = resource.get("Properties", {})
    for (kind, name), most in POLICY_SIZES.items():
        if resource["Type"] == kind and name in properties and (size := len(longest(properties[name]))) > most:
            yield f"{name} has {size} characters, and {most} are allowed"


def of_inline_policies(template: Template) -> Iterator[str]:
    """The size of all that a role has, within itself and as resources beside it."""
    sizes: dict[str, int] = defaultdict(int)
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", ()):
                sizes[name] += len(longest(policy["PolicyDocument"]))
        elif resource["Type"] == "AWS::IAM::RolePolicy":
            role = properties["RoleName"]
            sizes[role["Ref"] if isinstance(role, dict) else role] += len(longest(properties["PolicyDocument"]))
    for name, size in sizes.items():
        if size > INLINE_POLICIES:
            yield f"{name}: inline policies have {size} characters, and {INLINE_POLICIES} are allowed"


def of_texts(resource: Resource) -> Iterator[str]:
    """Characters of descriptions and names that no schema tells."""
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::EC2::SecurityGroup":
        rules = [*properties.get("SecurityGroupIngress", ()), *properties.get("SecurityGroupEgress", ())]
        for text in (properties["GroupDescription"], *(rule.get("Description", "") for rule in rules)):
            if not GROUP_DESCRIPTION.fullmatch(text):
                yield f"no description: {text}"
    if resource["Type"] == "AWS::SSM::Parameter":
        levels = properties["Name"].strip("/").split("/")
        if len(levels) > PARAMETER_LEVELS or levels[0].lower().startswith(PARAMETER_RESERVED):
            yield f"no name of a parameter: {properties['Name']}"


def known(value: Any) -> Any:
    """The value with what only the deployment tells as UNKNOWN."""
    if isinstance(value, dict):
        if is_intrinsic(value):
            return UNKNOWN
        return {key: known(inner) for key, inner in value.items()}
    return [known(inner) for inner in value] if isinstance(value, list) else value


def longest(value: Any) -> str:
    """The value as text without whitespace, with a long stand-in for what only the deployment tells."""
    if isinstance(value, str):
        return value
    return json.dumps(_stand_ins(value), separators=(",", ":"))


def is_intrinsic(value: dict[str, Any]) -> bool:
    """Whether a mapping is a function of CloudFormation."""
    return len(value) == 1 and any(key == "Ref" or key.startswith("Fn::") for key in value)


def _stand_ins(value: Any) -> Any:
    if isinstance(value, dict):
        if not is_intrinsic(value):
            return {key: _stand_ins(inner) for key, inner in value.items()}
        if "Fn::Join" in value:
            delimiter, parts = value["Fn::Join"]
            return delimiter.join(_stand_ins(part) for part in parts)
        # An account's number, or an id or ARN: the longest here is that of a key, of 80 characters.
        return "x" * (12 if value.get("Ref") == "AWS::AccountId" else 80)
    return [_stand_ins(inner) for inner in value] if isinstance(value, list) else value
