"""Service Quotas: how many instances of a type endpoints may have, and how many VPCs there may be, in each region.

SageMaker and EC2 refuse what is beyond. A request for more is granted at once. Other quotas are not known.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import SagemakerClientError

from sagehost.moto_app import serve
from sagehost.pipelines.services import CheckedService, Refused

_ENDPOINTS = {
    **{"ml.g4dn.12xlarge": "L-07BEB181", "ml.p4d.24xlarge": "L-09F79647", "ml.p4de.24xlarge": "L-456B4C5F"},
    **{"ml.g5.xlarge": "L-1928E07B", "ml.g5.2xlarge": "L-9614C779", "ml.g5.4xlarge": "L-C1B9A48D"},
    **{"ml.g5.8xlarge": "L-065D610E", "ml.g5.12xlarge": "L-65C4BD00", "ml.g5.16xlarge": "L-962705EA"},
    **{"ml.g5.24xlarge": "L-6821867B", "ml.g5.48xlarge": "L-0100B823"},
}
VPCS = "L-F678F1CE"
_NAMES = {("sagemaker", code): f"{kind} for endpoint usage" for kind, code in _ENDPOINTS.items()} | {
    ("vpc", VPCS): "VPCs per Region"
}
DEFAULTS = {"sagemaker": 100.0, "vpc": 100.0}
"""By service; HostingSettings has others."""
APPLIED: dict[tuple[str, str, str], float] = {}
"""Quotas that were raised, by account, region and code."""


def quota(account: str, region: str, service: str, code: str) -> float:
    """The quota of an account in a region."""
    return APPLIED.get((account, region, code), DEFAULTS[service])


class Instances(Protocol):
    """Some instances of one type."""

    @property
    def instance_type(self) -> str:
        """Their type."""

    @property
    def instances(self) -> int:
        """How many."""


def check_endpoints(account: str, region: str, running: Iterable[Instances], starting: Iterable[Instances]) -> None:
    """Raises SageMaker's ResourceLimitExceeded where all of them together exceed the quota of a type."""
    used, added = Counter[str](), Counter[str]()
    for counter, plans in ((used, running), (added, starting)):
        for one in plans:
            counter[one.instance_type] += max(one.instances, 0)
    for kind, delta in added.items():
        limit = quota(account, region, "sagemaker", _ENDPOINTS.get(kind, ""))
        if delta and used[kind] + delta > limit:
            raise SagemakerClientError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{kind} for endpoint usage' is {limit:g} Instances, with current "
                f"utilization of {used[kind]} Instances and a request delta of {delta} Instances. Please use AWS "
                "Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact "
                "AWS support to request an increase for this quota.",
            )


class ServiceQuotas(CheckedService):
    """What there is of the service's API."""

    service = "service-quotas"

    def get_service_quota(self) -> ActionResult:
        """GetServiceQuota."""
        service, code = self._known()
        return self._shown(service, code, quota(self.current_account, self.region, service, code))

    def get_aws_default_service_quota(self) -> ActionResult:
        """GetAWSDefaultServiceQuota."""
        service, code = self._known()
        return self._shown(service, code, DEFAULTS[service])

    def request_service_quota_increase(self) -> ActionResult:
        """RequestServiceQuotaIncrease."""
        service, code = self._known()
        wanted = float(self.request["DesiredValue"])
        if wanted <= quota(self.current_account, self.region, service, code):
            message = "You must provide a quota value greater than the current quota value"
            raise Refused("IllegalArgumentException", message)
        APPLIED[self.current_account, self.region, code] = wanted
        name = {"ServiceCode": service, "QuotaCode": code, "QuotaName": _NAMES[service, code]}
        return ActionResult({"RequestedQuota": {**name, "DesiredValue": wanted, "Status": "APPROVED"}})

    def _known(self) -> tuple[str, str]:
        key = self.request["ServiceCode"], self.request["QuotaCode"]
        if key not in _NAMES:
            raise Refused("NoSuchResourceException", "The request failed because the specified quota does not exist.")
        return key

    def _shown(self, service: str, code: str, value: float) -> ActionResult:
        arn = f"arn:{self.partition}:servicequotas:{self.region}:{self.current_account}:{service}/{code}"
        name = {"ServiceCode": service, "QuotaCode": code, "QuotaName": _NAMES[service, code], "QuotaArn": arn}
        more = {"Unit": "None", "Adjustable": True, "GlobalQuota": False}
        return ActionResult({"Quota": {**name, "Value": value, **more}})


def install() -> None:
    """Answer the requests of Service Quotas, of which moto has two operations."""
    serve("servicequotas", lambda: ServiceQuotas.dispatch)
