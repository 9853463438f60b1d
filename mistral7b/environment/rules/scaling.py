"""Instances, and how they follow the load."""

from collections.abc import Iterator

from mistral7b.environment.rules.registry import Finding, rule
from mistral7b.environment.schema import Environment
from mistral7b.tgi import LauncherSettings


@rule("auto_scaling.min_instances", "auto_scaling.max_instances")
def _bounds_are_in_order(env: Environment) -> Iterator[Finding]:
    scaling = env.auto_scaling
    if scaling is not None and scaling.min_instances > scaling.max_instances:
        yield Finding(
            ("auto_scaling", "max_instances"),
            scaling.max_instances,
            f"it is below min_instances, {scaling.min_instances}",
            f"set it to {scaling.min_instances} or more",
        )


@rule("auto_scaling.min_instances", "auto_scaling.max_instances", "instance.count")
def _instances_are_within_bounds(env: Environment) -> Iterator[Finding]:
    scaling = env.auto_scaling
    if scaling is None or scaling.min_instances > scaling.max_instances:
        return
    low, high = scaling.min_instances, scaling.max_instances
    if not low <= env.instance.count <= high:
        yield Finding(
            ("instance", "count"),
            env.instance.count,
            f"auto scaling keeps between {low} and {high} instances",
            f"set it to between {low} and {high}",
        )


@rule("auto_scaling.target_concurrent_requests", "tgi.MAX_CONCURRENT_REQUESTS", "model", "model_version")
def _scaling_starts_before_refusals(env: Environment) -> Iterator[Finding]:
    if env.auto_scaling is None:
        return
    target, limit = env.auto_scaling.target_concurrent_requests, _max_concurrent_requests(env)
    if target > limit:
        yield Finding(
            ("auto_scaling", "target_concurrent_requests"),
            target,
            f"an instance refuses requests beyond MAX_CONCURRENT_REQUESTS, {limit}, so nothing would ever scale out",
            f"set it to {limit} or less, or raise tgi.MAX_CONCURRENT_REQUESTS",
        )


def _max_concurrent_requests(env: Environment) -> int:
    limit: int | None = env.tgi.max_concurrent_requests
    default: int = LauncherSettings.model_fields["max_concurrent_requests"].default
    return default if limit is None else limit
