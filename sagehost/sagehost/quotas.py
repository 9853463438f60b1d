"""Service Quotas: how many instances of a type endpoints may have, and how many VPCs there may be, in each region.

SageMaker and EC2 refuse what is beyond. A request for more is granted at once. Other quotas are not known.
"""

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import SagemakerClientError

from sagehost.moto_app import OwnService

_ENDPOINTS = {
    **{"ml.g4dn.12xlarge": "L-07BEB181", "ml.p4d.24xlarge": "L-09F79647", "ml.p4de.24xlarge": "L-456B4C5F"},
    **{"ml.g5.xlarge": "L-1928E07B", "ml.g5.2xlarge": "L-9614C779", "ml.g5.4xlarge": "L-C1B9A48D"},
    **{"ml.g5.8xlarge": "L-065D610E", "ml.g5.12xlarge": "L-65C4BD00", "ml.g5.16xlarge": "L-962705EA"},
    **{"ml.g5.24xlarge": "L-6821867B", "ml.g5.48xlarge": "L-0100B823"},
}
VPCS = "L-F678F1CE"
NAMES = {("sagemaker", code): f"{kind} for endpoint usage" for kind, code in _ENDPOINTS.items()} | {
    ("vpc", VPCS): "VPCs per Region"
}
"""The known quotas, by service and code. What their requests may not ask, `validation.rules` refuses."""
DEFAULTS = {"sagemaker": 100.0, "vpc": 100.0}
"""By service. AWS gives a new account 5 VPCs, and often no instance."""
APPLIED: dict[tuple[str, str, str], float] = {}
"""Quotas that were raised, by account, region and code."""


def quota(account: str, region: str, service: str, code: str) -> float:
    """The quota of an account in a region."""
    return APPLIED.get((account, region, code), DEFAULTS[service])


def check_endpoints(account: str, region: str, kind: str, used: int, added: int) -> None:
    """Raises SageMaker's ResourceLimitExceeded where the added instances of a type exceed its quota."""
    limit = quota(account, region, "sagemaker", _ENDPOINTS.get(kind, ""))
    if added and used + added > limit:
        raise SagemakerClientError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{kind} for endpoint usage' is {limit:g} Instances, with current "
            f"utilization of {used} Instances and a request delta of {added} Instances. Please use AWS Service Quotas "
            "to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to "
            "request an increase for this quota.",
        )


class ServiceQuotas(OwnService):
    """What there is of the service's API."""

    service = "service-quotas"

    def get_service_quota(self) -> ActionResult:
        """GetServiceQuota."""
        return self._answer("Quota", Value=quota(*self._key))

    def get_aws_default_service_quota(self) -> ActionResult:
        """GetAWSDefaultServiceQuota."""
        return self._answer("Quota", Value=DEFAULTS[self.request["ServiceCode"]])

    def request_service_quota_increase(self) -> ActionResult:
        """RequestServiceQuotaIncrease."""
        account, region, _, code = self._key
        wanted = APPLIED[account, region, code] = float(self.request["DesiredValue"])
        return self._answer("RequestedQuota", DesiredValue=wanted, Status="APPROVED")

    @property
    def _key(self) -> tuple[str, str, str, str]:
        return self.current_account, self.region, self.request["ServiceCode"], self.request["QuotaCode"]

    def _answer(self, member: str, **told: object) -> ActionResult:
        *_, service, code = self._key
        described = {"ServiceCode": service, "QuotaCode": code, "QuotaName": NAMES[service, code], "Unit": "None"}
        return ActionResult({member: described | told})
