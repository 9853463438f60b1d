"""What makes a deployment fail some minutes in, found beforehand: the checks of one environment in its account.

Everything is read: `mistral7b.operate.reads` has the actions.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from mistral7b.catalog import instance_type
from mistral7b.operate.bootstrap import bootstrap
from mistral7b.operate.calls import ask, each, variants
from mistral7b.operate.checks import AT_ONCE, Finding, Target, check
from mistral7b.operate.existing_vpc import vpc_findings
from mistral7b.operate.hours import asleep
from mistral7b.operate.reads import VPCS_PER_REGION
from mistral7b.operate.stacks import find, resources
from mistral7b.operate.weights import look_into
from mistral7b.promotion.names import environment_stacks

_ALL_ENDPOINTS = ("list_endpoints", "Endpoints[].EndpointName")
_SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_STUCK = {
    "CREATE_FAILED": "aws cloudformation delete-stack",
    "DELETE_FAILED": "aws cloudformation delete-stack",
    "UPDATE_FAILED": "aws cloudformation rollback-stack",
    "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback",
}
"""Statuses of stacks that CloudFormation does not update (user guide, "Stack status codes"), and what ends each. The
CDK itself deletes a stack that is ROLLBACK_COMPLETE or ROLLBACK_FAILED."""


@check("stacks", "none is in a state that cannot be updated")
def _stacks(target: Target) -> Iterator[Finding]:
    wanted = target.env.termination_protection
    for one in find(target.client("cloudformation"), environment_stacks(target.env.name)):
        fix = f"mistral7b protect {target.env.name}"
        if one.protected and not one.deployed:
            reason = f"{one.name} is {one.status} and protected, so it can neither be deployed again nor removed"
            yield Finding("failure", reason, fix)
        elif one.protected != (wanted and one.deployed):
            says = f"the file says termination_protection: {str(wanted).lower()}"
            yield Finding("warning", f"{one.name} is {'' if one.protected else 'not '}protected; {says}", fix)
        if one.status in _STUCK:
            fix = f"{_STUCK[one.status]} --stack-name {one.name} --region {target.env.region}"
            yield Finding("failure", f"{one.name} is {one.status} and cannot be updated: {one.reason}", fix)
        elif one.busy:
            fix = f"aws cloudformation describe-stacks --stack-name {one.name} --region {target.env.region}"
            yield Finding("warning", f"{one.name} is {one.status}: wait until that ends", fix)


@check("endpoint", "it is not stopped")
def _endpoint(target: Target) -> Iterator[Finding]:
    if asleep(target.client, target.env):
        reason = "the endpoint is stopped: an update that changes it would fail, and CloudFormation could not roll back"
        yield Finding("warning", reason, f"mistral7b start {target.env.name}")


@check("zones", "EC2 offers the instance type in each")
def _zones(target: Target) -> Iterator[Finding]:
    """EC2's offerings are the only hint: SageMaker publishes none by zone."""
    env, zones = target.env, target.env.availability_zones
    by = "availability-zone" if zones and zones[0].startswith(env.region) else "availability-zone-id"
    wanted = [{"Name": "instance-type", "Values": [env.instance_type.removeprefix("ml.")]}]
    asked = {"LocationType": by, "Filters": wanted}
    path = "InstanceTypeOfferings[].Location"
    offered = sorted(each(target.client("ec2"), "describe_instance_type_offerings", path, **asked))
    if without := [zone for zone in zones if zone not in offered]:
        vpc = "existing_vpc" if env.network.existing_vpc else "vpc"
        fix = f"use zones of {', '.join(offered)}" if offered else "use another instance.type, or another region"
        reason = f"EC2 does not offer {wanted[0]['Values'][0]} in {', '.join(without)}, so SageMaker may not either"
        yield Finding("warning", reason, fix, f"network.{vpc}.availability_zones", ", ".join(zones))


@check("quota", "")
def _quota(target: Target) -> Iterator[Finding]:
    """Instances of the type that endpoints of the account may have, beside those that others have.

    An update starts a second fleet before it stops the first, where the endpoint scales of as many instances as there
    are; a rolling one a batch. Source: SageMaker developer guide, blue/green deployments and rolling deployments.
    """
    env, kind, sagemaker = target.env, target.env.instance_type, target.client("sagemaker")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        names = [*each(sagemaker, *_ALL_ENDPOINTS)]
        running = dict(zip(names, pool.map(partial(variants, sagemaker), names), strict=True))
    own = running.pop(env.resolved_endpoint_name, [])
    others = sum(count for found in running.values() for _, of, count in found if of == kind)
    now = sum(count for _, of, count in own if of == kind)
    fleet = (env.auto_scaling and sum(count for _, _, count in own)) or env.instance.count
    fleet = env.update_batch(fleet) if now else fleet
    largest = max(env.instance.count, env.instance_bounds[1])
    most = largest + env.update_batch(largest)
    code = instance_type(kind).quota_code
    quota = _value(target.client("service-quotas"), "sagemaker", code)
    needs = f"this one needs {now + fleet} now and up to {most} in updates"
    reason = f"{kind} for endpoint usage is {quota:g}; other endpoints run {others}, {needs}"
    fix = _increase(target, "sagemaker", code, others + most)
    if others + max(now + fleet, most) <= quota:
        yield Finding("ok", reason)
    else:  # of an endpoint that runs, not every deployment changes the instances
        yield Finding("warning" if now or others + fleet <= quota else "failure", reason, fix)


def _value(quotas: Any, service: str, code: str) -> float:
    """The quota that is applied to the account, or else AWS's default."""
    names = {"ServiceCode": service, "QuotaCode": code}
    applied = ask(quotas.get_service_quota, "NoSuchResourceException", **names)
    return float((applied or quotas.get_aws_default_service_quota(**names))["Quota"]["Value"])


def _increase(target: Target, service: str, code: str, value: int) -> str:
    ask_for = f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code}"
    return f"{ask_for} --desired-value {value} --region {target.env.region}"


@check("image", "it is there and can be read")
def _image(target: Target) -> Iterator[Finding]:
    registry, _, image = target.env.image_uri.partition("/")
    repository, sign, reference = re.split("([:@])", image, maxsplit=1)
    owner, one = registry.split(".")[0], {"imageTag" if sign == ":" else "imageDigest": reference}
    where = {"registryId": owner, "repositoryName": repository, "imageIds": [one]}
    if target.env.image:
        yield from _shared(target, "repository", owner)
    answer = ask(target.client("ecr").batch_get_image, "RepositoryNotFoundException", **where)
    if not answer or not answer["images"]:
        reason = f"there is no image {target.env.image_uri}"
        own = Finding("failure", reason, "push it, or name one that is there", "image.uri")
        yield own if target.env.image else _unpublished(target, reason)


@check("weights", "they are there and can be read")
def _weights(target: Target) -> Iterator[Finding]:
    uri, own = target.env.artifact_uri, target.env.artifact
    if own is not None:
        owner = own.account or target.place.account
        yield from _shared(target, "bucket", owner)
        for fails, reason, fix in look_into(target.client("s3"), own, owner):
            yield Finding("failure" if fails else "warning", reason, fix, "artifact.uri", uri)
        return
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    answer = ask(target.client("s3").list_objects_v2, "NoSuchBucket", Bucket=bucket, Prefix=key, MaxKeys=1)
    if not answer or not answer["KeyCount"]:
        yield _unpublished(target, f"there is nothing at {uri}")


def _shared(target: Target, what: str, owner: str) -> Iterator[Finding]:
    """What else it takes where another account owns it; only that account can tell whether it does."""
    if owner != target.place.account:
        yield Finding("ok", f"the policy of {owner}'s {what} has to let {target.place.account} in: docs/own-weights.md")


def _unpublished(target: Target, reason: str) -> Finding:
    fix = "set another of those that this prints: mistral7b models"
    return Finding("failure", reason, fix, "model_version", target.env.version.version)


@check("network", "the VPC is as the file says")
def _network(target: Target) -> Iterator[Finding]:
    ec2, env, tag = target.client("ec2"), target.env, "aws:cloudformation:stack-name"
    if env.network.existing_vpc:
        yield from vpc_findings(ec2, env, env.network.existing_vpc)
        return
    vpcs = [*each(ec2, "describe_vpcs", "Vpcs")]
    own = [{"Key": tag, "Value": stack} for stack in environment_stacks(env.name)]
    quota = _value(target.client("service-quotas"), "vpc", VPCS_PER_REGION)
    if len(vpcs) < quota or any(one in own for vpc in vpcs for one in vpc.get("Tags", ())):
        yield Finding("ok", f"{len(vpcs)} of {quota:g} VPCs are in use")
    else:
        fix = _increase(target, "vpc", VPCS_PER_REGION, len(vpcs) + 1)
        yield Finding("failure", f"{len(vpcs)} of {quota:g} VPCs are in use, and this one makes another", fix)


@check("names", "all are free, or this environment's")
def _names(target: Target) -> Iterator[Finding]:
    """Names that the stacks give, of things that none of them has made, such as a retained log group."""
    client, stacks = target.client("cloudformation"), environment_stacks(target.env.name)
    made = (one.get("PhysicalResourceId", "") for stack in stacks for one in resources(client, stack))
    own = {one.rpartition(":endpoint/")[2].lower() for one in made}  # an endpoint's is its ARN
    for kind, name, command in _existing(target):
        if name.lower() not in own:
            other = "set endpoint_name, or: " if kind == "endpoint" else ""
            fix = f"{other}aws {command} {name} --region {target.env.region}"
            yield Finding("failure", f"the {kind} {name} exists, and this environment has not made it", fix)


def _existing(target: Target) -> Iterator[tuple[str, str, str]]:
    """Kind, name and the command that deletes it, of what exists by one of the names that the stacks give.

    An endpoint's name is case-insensitive. Source: SageMaker API, CreateEndpoint.
    """
    env, name = target.env, target.env.resolved_endpoint_name
    for one in each(target.client("sagemaker"), *_ALL_ENDPOINTS):
        if one.lower() == name.lower():
            yield "endpoint", one, "sagemaker delete-endpoint --endpoint-name"
    flow_logs = () if env.network.existing_vpc else (f"/mistral7b/{env.name}/vpc-flow-logs",)
    for group in (f"/aws/sagemaker/Endpoints/{name}", *flow_logs):
        path = "logGroups[].logGroupName"
        if group in each(target.client("logs"), "describe_log_groups", path, logGroupNamePrefix=group):
            yield "log group", group, "logs delete-log-group --log-group-name"
    parameter = f"/mistral7b/{env.name}/endpoint-name"
    if ask(target.client("ssm").get_parameter, "ParameterNotFound", Name=parameter):
        yield "parameter", parameter, "ssm delete-parameter --name"
    for role in target.roles:
        if ask(target.client("iam").get_role, "NoSuchEntity", RoleName=role):
            yield "role", role, "iam delete-role --role-name"


@check("roles", "every role that the deployment takes is there")
def _roles(target: Target) -> Iterator[Finding]:
    """Callers, operators, and the role of scaling. Source: Application Auto Scaling guide, service-linked roles."""
    env, role = target.env, partial(ask, target.client("iam").get_role, "NoSuchEntity")
    if not role(RoleName=_SCALING_ROLE) and env.auto_scaling:
        reason = f"no {_SCALING_ROLE}: the deployment makes it, which takes iam:CreateServiceLinkedRole"
        fix = "aws iam create-service-linked-role --aws-service-name sagemaker.application-autoscaling.amazonaws.com"
        yield Finding("warning", reason, fix)
    for field, names in (("callers", env.callers.role_names), ("operators", env.operators.role_names)):
        for name in (one for one in names if not role(RoleName=one)):
            reason, fix = "there is no such role in the account", "create it first, or take it out"
            yield Finding("failure", reason, fix, f"{field}.role_names", name)


@check("scaling", "it does not keep the endpoint from another instance type")
def _scaled(target: Target) -> Iterator[Finding]:
    """SageMaker changes no instance type of a variant that scales, whether or not the file still has `auto_scaling`.

    CloudFormation removes a scalable target only after the update of its endpoint. Source: SageMaker developer guide,
    "Update endpoints that use automatic scaling".
    """
    env, name = target.env, target.env.resolved_endpoint_name
    types = {f"endpoint/{name}/variant/{one}": kind for one, kind, _ in variants(target.client("sagemaker"), name)}
    if not types:
        return
    scaled = target.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=list(types)
    )["ScalableTargets"]
    for now in (types[one["ResourceId"]] for one in scaled):
        if now != env.instance_type:
            reason = f"{name} runs on {now} and scales, and SageMaker changes the type of no variant that scales"
            fix = f"deploy {now} with auto_scaling: null, then {env.instance_type} with the auto_scaling that you want"
            yield Finding("failure", reason, fix, "instance.type", env.instance_type)


CHECKS = (bootstrap, _stacks, _endpoint, _names, _quota, _zones, _scaled, _roles, _image, _weights, _network)
"""Every check of an environment."""
