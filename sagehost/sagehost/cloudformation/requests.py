"""Requests of the API: what they ask a stack to become."""

import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import unquote, urlsplit

from sagehost import moto_app
from sagehost.aws_errors import Refused
from sagehost.cloudformation import parameters
from sagehost.cloudformation.errors import ValidationError
from sagehost.cloudformation.plan import check_rules
from sagehost.cloudformation.store import Stack, Target
from sagehost.cloudformation.target_state import TargetState, ssm_value
from sagehost.cloudformation.template import MOST_BYTES, Template, parse
from sagehost.cloudformation.values import Json

Request = Mapping[str, Json]
"""Parameters of an operation, as botocore's model names them."""

_IAM_TYPES = "Group InstanceProfile ManagedPolicy Role User AccessKey Policy UserToGroupAddition"
"""Types whose creation the caller has to acknowledge, and by another capability where they are named."""

# Path style and both virtual-host styles of S3, and this server's own path style.
_S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?")


def target(stack: Stack, request: Request) -> Target:
    """What a request to create or update the stack asks for, checked.

    Raises:
        ValidationError: the template or its parameters are wrong.
        Refused: it creates IAM resources, which the request does not acknowledge.
    """
    present = stack.target
    template = _template(stack, request)
    capabilities = list(request.get("Capabilities", []))
    for needed in needed_capabilities(template):
        if not {needed, "CAPABILITY_NAMED_IAM"} & {*capabilities}:
            raise Refused("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")
    tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]} if "Tags" in request else None
    made = Target(
        template=template,
        parameters=parameters.resolve(
            template,
            request.get("Parameters", []),
            present.parameters.given if present else None,
            partial(ssm_value, stack),
        ),
        tags=(present.tags if present else {}) if tags is None else tags,
        capabilities=capabilities,
        role_arn=request.get("RoleARN") or (present.role_arn if present else None),
    )
    check_rules(TargetState(stack, made))
    return made


def _template(stack: Stack, request: Request) -> Template:
    if request.get("UsePreviousTemplate"):
        if stack.target is None:
            raise ValidationError(f"Stack [{stack.name}] has no previous template")
        return stack.target.template
    return parse(body(request, stack.account, stack.region))


def body(request: Request, account: str, region: str) -> str:
    """The template's text, given in the request or by its S3 address. Raises ValidationError: S3 does not have it."""
    if "TemplateBody" in request:
        return str(request["TemplateBody"])
    address = str(request["TemplateURL"])
    url = urlsplit(address)
    path = unquote(url.path).lstrip("/")
    host = _S3_HOST.fullmatch(url.hostname or "")
    bucket, key = (host["bucket"], path) if host and host["bucket"] else path.partition("/")[::2]
    if not (host or url.hostname in ("localhost", "127.0.0.1")):
        raise ValidationError(f"S3 error: Domain name specified in {url.hostname} is not a valid S3 domain")
    client = moto_app.client("s3", account, region)
    try:
        found = client.get_object(Bucket=bucket, Key=key)
        if found["ContentLength"] > MOST_BYTES:
            raise ValidationError(f"Template may not exceed {MOST_BYTES} bytes in size.")
        return str(found["Body"].read().decode())
    except client.exceptions.ClientError as error:
        raise ValidationError(f"S3 error: {error.response['Error']['Message']} ({address})") from error


def needed_capabilities(template: Template) -> list[str]:
    """What the caller has to acknowledge before these resources are created."""
    kinds = {f"AWS::IAM::{kind}": kind for kind in _IAM_TYPES.split()}
    found = [resource for resource in template.resources.values() if resource["Type"] in kinds]
    names = [f"{kinds[one['Type']]}Name" for one in found if f"{kinds[one['Type']]}Name" in one.get("Properties", {})]
    named = set(names) - {"PolicyName"}  # which every inline policy has
    return ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"] if found else []
