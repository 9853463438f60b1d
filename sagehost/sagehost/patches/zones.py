"""EC2: availability zones, whose names mean other zones in another account, while their ids do not."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from moto.ec2.exceptions import InvalidAvailabilityZoneError, InvalidParameterCombination
from moto.ec2.models import EC2Backend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.instance_types import InstanceTypeOfferingBackend
from moto.ec2.models.subnets import Subnet, SubnetBackend

from sagehost.patches import correction

# The fourth zone of eu-west-2 is in moto's offerings of instance types alone.
RegionsAndZonesBackend.zones["eu-west-2"].append(Zone("eu-west-2d", "eu-west-2", "euw2-az4"))


@functools.cache
def zones(account: str, region: str) -> list[Zone]:
    """The zones of a region as an account names them: us-east-1a is use1-az2 in the default account."""
    known = RegionsAndZonesBackend.zones.get(region, [])
    names, ids = sorted(zone.name for zone in known), sorted(zone.zone_id for zone in known)
    shift = (int(account) + 1) % len(ids) if ids else 0
    return [Zone(name, region, zone_id) for name, zone_id in zip(names, ids[shift:] + ids[:shift], strict=True)]


# moto gives every account the same names.
setattr(EC2Backend, "zones", property(lambda self: {self.region_name: zones(self.account_id, self.region_name)}))  # noqa: B010


@correction.replaces(SubnetBackend, "create_subnet")
def _create_subnet(original: Callable[..., Subnet], self: Any, *args: Any, **given: Any) -> Subnet:
    """moto takes zones of other regions, and a name and an id at once."""
    bound = inspect.signature(original).bind(self, *args, **given)
    name, zone_id = (bound.arguments.pop(one, None) for one in ("availability_zone", "availability_zone_id"))
    if name and zone_id:
        raise InvalidParameterCombination("Specify either AvailabilityZone or AvailabilityZoneId, not both")
    own = {zone.name if name else zone.zone_id: zone for zone in zones(self.account_id, self.region_name)}
    zone = own.get(name or zone_id)
    if zone is None:
        raise InvalidAvailabilityZoneError(name or zone_id, ", ".join(own))
    subnet = original(**bound.arguments, availability_zone=zone.name)
    subnet._availability_zone = zone
    return subnet


@correction.replaces(InstanceTypeOfferingBackend, "describe_instance_type_offerings")
def _describe_instance_type_offerings(
    original: Callable[..., list[Any]], self: Any, location_type: str | None = None, filters: Any = None
) -> list[Any]:
    """moto's offerings by name of the zone are those of one account."""
    if location_type != "availability-zone":
        return original(self, location_type, filters)
    names = {zone.zone_id: zone.name for zone in zones(self.account_id, self.region_name)}
    wanted = (filters or {}).pop("location", names.values())
    found = original(self, "availability-zone-id", filters)
    renamed = ({**one, "LocationType": location_type, "Location": names[one["Location"]]} for one in found)
    return [one for one in renamed if one["Location"] in wanted]
