"""Service Quotas."""

from tests.unit.sagehost.validation.examples import Cases, Json

INSTANCES: Json = {"ServiceCode": "sagemaker", "QuotaCode": "L-1928E07B"}

EXAMPLES: Cases = {
    "unknown quota": ("GetServiceQuota", INSTANCES, {"QuotaCode": "L-00000000"}, {}),
    "lower quota": (
        "RequestServiceQuotaIncrease",
        INSTANCES,
        {"DesiredValue": 1.0},
        {"DesiredValue": 1e6},
    ),
}
