"""What `mistral7b simulate` is asked to simulate: the container, the policies, the traffic."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mistral7b import catalog
from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.fleet import (
    PoissonTrace,
    Policy,
    Trace,
    TraceError,
    TraceFile,
    burst,
    constant,
    daily,
    parse_lengths,
    ramp,
)
from mistral7b.capacity.fleet.arrivals import DAY_S, Rate
from mistral7b.capacity.fleet.durations import parse_duration
from mistral7b.capacity.fleet.exact import MOST_REQUESTS
from mistral7b.capacity.fleet.policy_spec import parse_policy
from mistral7b.capacity.memory import router_limits
from mistral7b.environment import Environment
from mistral7b.tgi import LauncherSettings, parse_environment
from mistral7b_cli.failure import CommandError

Pattern = Literal["constant", "daily", "burst", "ramp"]

DEFAULT_INSTANCE = "ml.g5.2xlarge"
_TYPE_FIX = (
    "leave --instance-type out for ml.g5.2xlarge, or give another with one A10G: ml.g5.4xlarge, 8xlarge, 16xlarge"
)


def container(env: Environment | None, kind: str) -> tuple[LauncherSettings, RouterLimits]:
    """The settings of the container, the environment's or else JumpStart's, and what it batches by on this type."""
    try:
        default = catalog.model("instruct").default_version
        settings = env.launcher_settings() if env else parse_environment(default.environment(kind))
        return settings, router_limits(settings, kind)
    except (LookupError, ValueError) as error:
        raise CommandError(f"instance type = {kind}\n    {error}\n    fix: {_TYPE_FIX}", 2) from None


def policies(texts: list[str], env: Environment | None) -> list[Policy]:
    """Those that the texts describe; without any the environment's own, or else a default."""
    defaults = Policy("", 1, 4, scale_out_cooldown_s=60.0, scale_in_cooldown_s=300.0)
    scaling = env.auto_scaling if env else None
    if scaling is not None:
        defaults = replace(
            defaults,
            min_capacity=scaling.min_instances,
            max_capacity=scaling.max_instances,
            scale_out_cooldown_s=float(scaling.scale_out_cooldown_seconds),
            scale_in_cooldown_s=float(scaling.scale_in_cooldown_seconds),
        )
    if texts:
        return [parse_policy(text, defaults) for text in texts]
    if env is None:
        return [parse_policy("concurrency:16,min=1,max=4", defaults)]
    if scaling is None:
        return [replace(defaults, name=env.name, min_capacity=env.instance.count, max_capacity=env.instance.count)]
    own = replace(
        defaults, name=f"{env.name}: concurrency:{scaling.target_concurrent_requests:g}", metric="concurrency"
    )
    return [replace(own, target=scaling.target_concurrent_requests, initial_capacity=env.instance.count)]


@dataclass(frozen=True)
class Traffic:
    """The options of made-up traffic."""

    pattern: Pattern
    rate: float
    peak: float | None
    duration: str | None
    input_tokens: str
    output_tokens: str
    seed: int

    def trace(self, settings: LauncherSettings, limits: RouterLimits, file: Path | None) -> tuple[Trace, str]:
        """The requests, those of a file or made up, and their title. Raises TraceError."""
        longest = min(settings.max_input_length, limits.max_batch_prefill_tokens // 16 * 16)
        if file is not None:
            return TraceFile(file, longest, settings.max_total_tokens), str(file)
        text = self.duration or ("24h" if self.pattern == "daily" else "2h")
        duration, peak = parse_duration(text, "duration"), 5 * self.rate if self.peak is None else self.peak
        inputs = parse_lengths(self.input_tokens, "--input", longest)
        outputs = parse_lengths(self.output_tokens, "--output", settings.max_total_tokens - 1)
        rate = self._rate(peak, duration)
        trace = PoissonTrace(rate, duration, inputs, outputs, self.seed, settings.max_total_tokens)
        expected = trace.expected_requests()
        if expected > MOST_REQUESTS:
            reason = f"that makes some {expected:,.0f} requests: more than {MOST_REQUESTS:,}, too many one by one"
            raise TraceError(reason, "lower the rate or the duration")
        if expected <= 0:
            raise TraceError("that makes no request at all", "raise --rate or --peak")
        rates = f"{self.rate:g}" if self.pattern == "constant" else f"{self.rate:g} to {peak:g}"
        lengths = f"prompts {self.input_tokens}, answers {self.output_tokens} tokens"
        return trace, f"{self.pattern}: {rates} requests/s for {text}, {lengths}"

    def _rate(self, peak: float, duration: float) -> Rate:
        rates: dict[Pattern, Callable[[], Rate]] = {
            "constant": lambda: constant(self.rate),
            "daily": lambda: daily(self.rate, peak, peak_at_s=DAY_S * 14 / 24),
            "burst": lambda: burst(self.rate, peak, duration / 4, duration / 4),
            "ramp": lambda: ramp(self.rate, peak, duration),
        }
        return rates[self.pattern]()
