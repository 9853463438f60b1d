"""Instances, and how they follow the load."""

from mistral7b.environment.rules.registry import Findings, rule
from mistral7b.environment.schema import Environment
from mistral7b.tgi import LauncherSettings
from mistral7b.yamlfile import Finding


@rule("auto_scaling.min_instances", "auto_scaling.max_instances")
def _bounds_are_in_order(env: Environment) -> Findings:
    """One instance at least, as an endpoint does not scale to zero; the maximum above the minimum. Source: Application
    Auto Scaling, SageMaker.
    """
    low, high = _bounds(env)
    if low > high:
        yield Finding("auto_scaling.max_instances", f"it is below min_instances, {low}", f"set it to {low} or more")


@rule("auto_scaling.min_instances", "auto_scaling.max_instances", "instance.count")
def _instances_are_within_bounds(env: Environment) -> Findings:
    """The count to begin with is within the bounds. Source: Application Auto Scaling API."""
    low, high = _bounds(env)
    if low <= high and not low <= env.instance.count <= high:
        reason = f"auto scaling keeps between {low} and {high} instances"
        yield Finding("instance.count", reason, f"set it to between {low} and {high}")


def _bounds(env: Environment) -> tuple[int, int]:
    count, scaling = env.instance.count, env.auto_scaling
    return (scaling.min_instances, scaling.max_instances) if scaling else (count, count)


@rule("auto_scaling.target_concurrent_requests", "tgi.MAX_CONCURRENT_REQUESTS", "model", "model_version")
def _scaling_starts_before_refusals(env: Environment) -> Findings:
    """A target that can be reached: 0.1 or more, and no more than an instance takes. (The API begins at 8.5e-109.).
    Source: Application Auto Scaling API, TargetValue.
    """
    limit: int | None = env.tgi.max_concurrent_requests
    if limit is None:
        limit = LauncherSettings.model_fields["max_concurrent_requests"].default
    if env.auto_scaling is not None and env.auto_scaling.target_concurrent_requests > limit:
        yield Finding(
            "auto_scaling.target_concurrent_requests",
            f"an instance refuses requests beyond MAX_CONCURRENT_REQUESTS, {limit}, so nothing would ever scale out",
            f"set it to {limit} or less, or raise tgi.MAX_CONCURRENT_REQUESTS",
        )
