"""Network interfaces of endpoints in a VPC: one for every instance, made and removed with the execution role.

They go some time after their instance, if the role may remove them then (SageMaker API, DeleteEndpoint: "Do not delete
or revoke the permissions for your ExecutionRoleArn"), and stay otherwise: nothing tells of a second try. Actions:
SageMaker guide, "SageMaker AI roles". Condition keys: service authorization reference, Amazon EC2.
"""

import logging
from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import Any

from sagehost.hosting.fleet import EndpointKey
from sagehost.moto_app import STATE
from sagehost.roles import AccessDenied, check_action

_log = logging.getLogger(__name__)

_USED: dict[str, tuple[EndpointKey, str]] = {}
"""Endpoint and execution role of every interface whose instance runs, by the interface's id."""


def attach(key: EndpointKey, role: str, subnets: Sequence[str], security_groups: Sequence[str]) -> str | None:
    """Make the interface of a new instance; its id, or None for a model in no VPC. Raises AccessDenied."""
    if not subnets:
        return None
    present = sum(owner == key for owner, _ in _USED.values())
    subnet = _ec2(key).get_subnet(subnets[present % len(subnets)])
    text = f"[Do not delete] Network interface of SageMaker endpoint {key.name}"
    for what in ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs"):
        _check(key, role, f"Describe{what}", "*")
    _check(key, role, "CreateNetworkInterface", "network-interface/*")
    for place in (f"subnet/{subnet.id}", *(f"security-group/{group}" for group in security_groups)):
        _check(key, role, "CreateNetworkInterface", place, vpc=subnet.vpc_id)
    made = _ec2(key).create_network_interface(subnet, "", group_ids=[*security_groups], description=text)
    made.requester_managed, made.status = True, "in-use"
    _USED[made.id] = key, role
    where = {"vpc": made.vpc_id, "subnet": made.subnet_id}
    _check(key, role, "CreateNetworkInterfacePermission", f"network-interface/{made.id}", **where)
    return str(made.id)


def release(key: EndpointKey, kept: Container[str | None]) -> list[Callable[[], None]]:
    """Give up an endpoint's interfaces but those kept: what is to be done later, to remove each."""
    gone = [one for one, (owner, _) in _USED.items() if owner == key and one not in kept]
    return [partial(_remove, one, *_USED.pop(one)) for one in gone]


def _remove(interface_id: str, key: EndpointKey, role: str) -> None:
    with STATE:
        interface = _ec2(key).enis.get(interface_id)
        if interface is None:  # somebody else has removed it
            return
        try:
            _check(key, role, "DeleteNetworkInterfacePermission", "*")
            where = {"vpc": interface.vpc_id, "subnet": interface.subnet_id}
            _check(key, role, "DeleteNetworkInterface", f"network-interface/{interface_id}", **where)
        except AccessDenied as error:
            _log.warning("%s of endpoint %s stays for ever: %s", interface_id, key.name, error.message)
        else:
            _ec2(key).delete_network_interface(interface_id)


def _check(key: EndpointKey, role: str, action: str, resource: str, *, vpc: str = "", subnet: str = "") -> None:
    ours = f"arn:{role.split(':')[1]}:ec2:{key.region}:{key.account}:"
    vpc_arn, subnet_arn = f"{ours}vpc/{vpc}" if vpc else None, f"{ours}subnet/{subnet}" if subnet else None
    context = {"ec2:region": key.region, "ec2:vpc": vpc_arn, "ec2:subnet": subnet_arn}
    check_action(role, f"ec2:{action}", resource if resource == "*" else ours + resource, context)


def _ec2(key: EndpointKey) -> Any:
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - half a second that the server's start does without

    return ec2_backends[key.account][key.region]
