"""What each of two environments may have, but not both: one account and region has it once."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mistral7b.environment.problem import Problem
from mistral7b.environment.schema import Environment


@dataclass(frozen=True)
class _Once:
    """Something that can be there once: its field, what an environment has of it, and what to say of two."""

    field: str
    held: Callable[[Environment], Iterable[str]]
    reason: str
    fix: str
    same: Callable[[str], Hashable] = str


def _routes_to_s3(env: Environment) -> Iterable[str]:
    return env.network.existing_vpc.route_table_ids if env.network.existing_vpc else ()


def _private_dns(env: Environment) -> Iterable[str]:
    existing = env.network.existing_vpc
    return (existing.vpc_id,) if existing and env.network.runtime_endpoint else ()


_ONCE = (
    _Once(
        "endpoint_name",
        lambda env: (env.resolved_endpoint_name,),
        "have the same endpoint in one account and region, where SageMaker tells no capital letters apart",
        "give one of them another endpoint_name, account or region",
        same=str.lower,  # CreateEndpoint in the SageMaker API: names are case-insensitive
    ),
    _Once(
        "network.existing_vpc.route_table_ids",
        _routes_to_s3,
        "both give this route table a gateway to S3, and EC2 takes one",
        "leave it out of one of them: the other's gateway serves both",
    ),
    _Once(
        "network.runtime_endpoint",
        _private_dns,
        "both give this VPC private DNS for the runtime, and EC2 takes one",
        "set it to false in one of them: its callers pass through the other's interface endpoint",
    ),
)


def collisions(environments: Mapping[str, Environment], folder: Path) -> Iterator[Problem]:
    """A problem, in the file of the last of them, for each thing that several environments of one place have."""
    for once in _ONCE:
        holders: dict[Hashable, list[tuple[str, str]]] = defaultdict(list)
        for name, env in environments.items():
            for held in once.held(env):
                holders[env.account, env.region, once.same(held)].append((name, held))
        for found in holders.values():
            names = [name for name, _ in found]
            if len(names) > 1:
                reason = f"{' and '.join(names)} {once.reason}"
                yield Problem(str(folder / f"{names[-1]}.yaml"), None, once.field, found[-1][1], reason, once.fix)
