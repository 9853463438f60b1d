"""Network interfaces of endpoints whose model is in a VPC, which SageMaker makes and removes with the execution role.

One for every instance. They go some time after their instance, if the role may remove them then (SageMaker API,
DeleteEndpoint: "Do not delete or revoke the permissions for your ExecutionRoleArn"); otherwise they stay, as nothing
tells of a second try. Actions: SageMaker guide, "SageMaker AI roles", CreateModel API. What takes which condition key:
service authorization reference, Amazon EC2.
"""

import logging
from collections.abc import Callable, Container
from functools import partial
from typing import Any

from localaws.hosting.fleet import EndpointKey
from localaws.hosting.permissions import DeniedError, check
from localaws.hosting.plans import DeploymentError, VariantPlan
from localaws.moto_app import STATE

_log = logging.getLogger(__name__)

_CREATE = "ec2:CreateNetworkInterface"
_LOOK_UPS = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
_NO_NETWORK = {"ec2:vpc": None, "ec2:subnet": None}

_USED: dict[str, tuple[EndpointKey, str]] = {}
"""Endpoint and execution role of every interface whose instance runs, by the interface's id."""


def attach(key: EndpointKey, plan: VariantPlan) -> str | None:
    """Make the interface of a new instance; its id, or None for a model in no VPC. Raises DeploymentError."""
    if not plan.subnets:
        return None
    from moto.ec2.exceptions import EC2ClientError  # noqa: PLC0415 - see `_ec2`

    present = [owner for owner, _ in _USED.values() if owner == key]
    try:
        return _attach(key, plan, plan.subnets[len(present) % len(plan.subnets)])
    except (DeniedError, EC2ClientError) as error:
        # SageMaker's own words are not known; these are EC2's.
        raise DeploymentError(
            f"Unable to create a network interface for production variant {plan.name}: {error}"
        ) from None


def _attach(key: EndpointKey, plan: VariantPlan, subnet_id: str) -> str:
    from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError  # noqa: PLC0415 - see `_ec2`

    ec2 = _ec2(key)
    subnet = ec2.get_subnet(subnet_id)
    for look_up in _LOOK_UPS:
        _check(key, plan.role, f"ec2:Describe{look_up}", "*")
    _check(key, plan.role, _CREATE, "network-interface/*")
    _check(key, plan.role, _CREATE, f"subnet/{subnet_id}", vpc=subnet.vpc_id)
    for group_id in plan.security_groups:
        group = ec2.get_security_group_from_id(group_id)
        if group is None:
            raise InvalidSecurityGroupNotFoundError(group_id)
        _check(key, plan.role, _CREATE, f"security-group/{group_id}", vpc=group.vpc_id)
    interface = ec2.create_network_interface(
        subnet,
        "",
        group_ids=list(plan.security_groups),
        description=f"[Do not delete] Network interface of SageMaker endpoint {key.name}",
    )
    interface.requester_managed, interface.status = True, "in-use"
    _USED[interface.id] = key, plan.role
    where = {"vpc": subnet.vpc_id, "subnet": subnet_id}
    _check(key, plan.role, "ec2:CreateNetworkInterfacePermission", f"network-interface/{interface.id}", **where)
    return str(interface.id)


def release(key: EndpointKey, kept: Container[str | None]) -> list[Callable[[], None]]:
    """Give up an endpoint's interfaces but those kept: what is to be done later, to remove each."""
    gone = [(one, role) for one, (owner, role) in _USED.items() if owner == key and one not in kept]
    for one, _ in gone:
        del _USED[one]
    return [partial(_remove, key, one, role) for one, role in gone]


def _remove(key: EndpointKey, interface_id: str, role: str) -> None:
    with STATE:
        ec2 = _ec2(key)
        interface = ec2.enis.get(interface_id)
        if interface is None:  # somebody else has removed it
            return
        where = {"vpc": interface.vpc_id, "subnet": interface.subnet_id}
        try:
            _check(key, role, "ec2:DeleteNetworkInterfacePermission", "*")
            _check(key, role, "ec2:DeleteNetworkInterface", f"network-interface/{interface_id}", **where)
        except DeniedError as error:
            _log.warning("%s of endpoint %s stays for ever: %s", interface_id, key.name, error)
            return
        ec2.delete_network_interface(interface_id)


def _check(key: EndpointKey, role: str, action: str, resource: str, **network: str) -> None:
    """Whether the role may do this. Raises DeniedError."""
    ours = f"arn:{role.split(':')[1]}:ec2:{key.region}:{key.account}:"
    keys = {f"ec2:{kind}": f"{ours}{kind}/{name}" for kind, name in network.items()}
    context = {"ec2:region": key.region, **_NO_NETWORK, **keys}
    check(role, action, resource if resource == "*" else ours + resource, context)


def _ec2(key: EndpointKey) -> Any:
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - half a second that the server's start does without

    return ec2_backends[key.account][key.region]
