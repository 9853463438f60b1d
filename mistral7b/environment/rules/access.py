"""Who invokes the endpoint, and the key of what is kept."""

from mistral7b import catalog
from mistral7b.environment.rules.registry import Findings, rule
from mistral7b.environment.schema import Environment
from mistral7b.yamlfile import Finding


@rule("callers")
def _a_limit_on_callers_has_callers(env: Environment) -> Findings:
    """Callers that are held to the VPC exist, and have a way. Source: this project."""
    if env.callers.only_from_vpc and not env.callers.role_names:
        fix = "name the roles in callers.role_names, or remove it"
        yield Finding("callers.only_from_vpc", "it applies to callers.role_names, which is empty", fix)


@rule("callers", "network")
def _callers_in_the_vpc_have_a_way(env: Environment) -> Findings:
    """Callers that are held to the VPC exist, and have a way. Source: this project."""
    if env.callers.only_from_vpc and not env.network.runtime_endpoint and env.network.existing_vpc is None:
        reason = "network.runtime_endpoint is false, so nothing in the VPC reaches the runtime"
        yield Finding("callers.only_from_vpc", reason, "set network.runtime_endpoint to true, or remove one of the two")


@rule("encryption", "account", "region")
def _key_is_at_hand(env: Environment) -> Findings:
    """A key is named by its ARN and is of the environment's region and account. Source: CloudWatch Logs,
    AssociateKmsKey.
    """
    if env.encryption.kms_key_arn is None:
        return
    _, partition, _, region, account, _ = env.encryption.kms_key_arn.split(":", 5)
    own = "aws-cn" if env.region.startswith("cn-") else "aws"
    if env.region in catalog.regions() and (partition, region) != (own, env.region):
        fix = f"use a key whose ARN begins with arn:{own}:kms:{env.region}:"
        yield Finding("encryption.kms_key_arn", "CloudWatch Logs uses only keys of its own region", fix)
    if env.account is not None and account != env.account:
        reason = f"it is a key of account {account}, and the log groups are in {env.account}"
        yield Finding("encryption.kms_key_arn", reason, f"use a key of {env.account}")
