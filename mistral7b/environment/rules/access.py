"""Who invokes the endpoint, and the key of what is kept."""

from collections.abc import Iterator

from mistral7b import catalog
from mistral7b.environment.problem import FieldPath
from mistral7b.environment.rules.registry import Finding, rule
from mistral7b.environment.schema import Environment


@rule("callers")
def _a_limit_on_callers_has_callers(env: Environment) -> Iterator[Finding]:
    if env.callers.only_from_vpc and not env.callers.role_names:
        yield Finding(
            ("callers", "only_from_vpc"),
            True,
            "there is no role that it could hold for",
            "name the roles in callers.role_names, or remove it",
        )


@rule("callers", "network")
def _callers_in_the_vpc_have_a_way(env: Environment) -> Iterator[Finding]:
    if env.callers.only_from_vpc and not env.network.runtime_endpoint and env.network.existing_vpc is None:
        yield Finding(
            ("callers", "only_from_vpc"),
            True,
            "network.runtime_endpoint is false, so nothing in the VPC reaches the runtime",
            "set network.runtime_endpoint to true, or remove one of the two",
        )


@rule("encryption", "account", "region")
def _key_is_at_hand(env: Environment) -> Iterator[Finding]:
    arn = env.encryption.kms_key_arn
    if arn is None:
        return
    _, partition, _, region, account, _ = arn.split(":", 5)
    field: FieldPath = ("encryption", "kms_key_arn")
    own = "aws-cn" if env.region.startswith("cn-") else "aws"
    if env.region in catalog.regions() and (partition, region) != (own, env.region):
        reason = "CloudWatch Logs takes keys of its own region alone"
        yield Finding(field, arn, reason, f"use a key whose ARN begins with arn:{own}:kms:{env.region}:")
    if env.account is not None and account != env.account:
        reason = f"it is a key of account {account}, and the log groups are in {env.account}"
        yield Finding(field, arn, reason, f"use a key of {env.account}")
