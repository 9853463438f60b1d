"""What one account and region can have only once: no two environments may share it."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path

from mistral7b.environment.schema import Environment
from mistral7b.yamlfile import Problem


def _endpoint(env: Environment) -> Iterable[str]:
    return (env.resolved_endpoint_name,)


def _routes_to_s3(env: Environment) -> Iterable[str]:
    return env.network.existing_vpc.route_table_ids if env.network.existing_vpc else ()


def _private_dns(env: Environment) -> Iterable[str]:
    existing = env.network.existing_vpc
    return (existing.vpc_id,) if existing and env.network.runtime_endpoint else ()


# By field: what an environment has of it, and reason and fix for two that have the same.
_ONCE: dict[str, tuple[Callable[[Environment], Iterable[str]], str, str]] = {
    "endpoint_name": (
        _endpoint,
        "have the same endpoint in one account and region, where SageMaker tells no capital letters apart",
        "give one of them another endpoint_name, account or region",
    ),
    "network.existing_vpc.route_table_ids": (
        _routes_to_s3,
        "both give this route table a gateway to S3, and EC2 takes one",
        "leave it out of one of them: the other's gateway serves both",
    ),
    "network.runtime_endpoint": (
        _private_dns,
        "both give this VPC private DNS for the runtime, and EC2 takes one",
        "set it to false in one of them: its callers pass through the other's interface endpoint",
    ),
}


def shared(environments: Mapping[str, Environment], folder: Path) -> Iterator[Problem]:
    """A problem, in the file of the last of them, for each thing that several environments of one place have."""
    for field, (held_by, reason, fix) in _ONCE.items():
        holders: dict[Hashable, list[tuple[str, str]]] = defaultdict(list)
        for name, env in environments.items():
            for held in held_by(env):
                # CreateEndpoint in the SageMaker API: names are case-insensitive; EC2's ids are in lower case.
                holders[env.account, env.region, held.lower()].append((name, held))
        for found in holders.values():
            names = [name for name, _ in found]
            if len(names) > 1:
                file = str(folder / f"{names[-1]}.yaml")
                yield Problem(file, None, field, found[-1][1], f"{' and '.join(names)} {reason}", fix)
