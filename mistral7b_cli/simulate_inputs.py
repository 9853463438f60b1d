"""What `mistral7b simulate` is asked to simulate, read from options and environment."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mistral7b import catalog
from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.fleet import (
    Fleet,
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
from mistral7b.capacity.fleet.prices import PRICES_AS_OF, usd_per_hour
from mistral7b.capacity.memory import router_limits
from mistral7b.catalog.instances import UnknownInstanceTypeError
from mistral7b.environment import Environment, load_environment
from mistral7b.tgi import LauncherSettings, parse_environment

_DEFAULT_INSTANCE = "ml.g5.2xlarge"
_TYPE_FIX = (
    "leave --instance-type out for ml.g5.2xlarge, or give another with one A10G: ml.g5.4xlarge, 8xlarge, 16xlarge"
)


class InputError(ValueError):
    """An option that cannot be used."""


@dataclass(frozen=True)
class Traffic:
    """The options of the traffic."""

    file: Path | None
    pattern: Literal["constant", "daily", "burst", "ramp"]
    rate: float
    peak: float | None
    duration: str | None
    input_tokens: str
    output_tokens: str
    seed: int


@dataclass(frozen=True)
class FleetOptions:
    """The options of the fleet."""

    policies: list[str]
    instance_type: str | None
    startup: str
    routing: Literal["least-outstanding", "random"]
    parameters: Path | None
    price: float | None


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that a simulation needs, and what to call it."""

    trace: Trace
    fleet: Fleet
    policies: list[Policy]
    instance_type: str
    price: float | None
    price_source: str
    title: str


def read(traffic: Traffic, folder: Path, name: str | None, options: FleetOptions) -> Inputs:
    """Reads everything and checks it.

    Raises:
        TraceError, CalibrationError, InputError: an option or a file is wrong.
        EnvironmentFileError: an environment file is.
    """
    env = None if name is None else load_environment(folder, name)
    kind = options.instance_type or (env.instance_type if env else _DEFAULT_INSTANCE)
    settings = _settings(env, kind)
    limits = _limits(settings, kind)
    calibration = Calibration.read(options.parameters) if options.parameters else published_calibration()
    trace, title = _trace(traffic, settings, limits)
    fleet = Fleet(calibration.parameters, limits, parse_duration(options.startup, "startup"), options.routing)
    price = usd_per_hour(kind) if options.price is None else options.price
    source = ("none built in" if price is None else PRICES_AS_OF) if options.price is None else "--price"
    return Inputs(trace, fleet, _policies(options.policies, env), kind, price, source, title)


def _settings(env: Environment | None, kind: str) -> LauncherSettings:
    if env is not None:
        return env.launcher_settings()
    try:
        return parse_environment(catalog.model("instruct").default_version.environment(kind))
    except UnknownInstanceTypeError as error:
        raise InputError(f"instance type = {kind}\n    {error}\n    fix: {_TYPE_FIX}") from None


def _limits(settings: LauncherSettings, kind: str) -> RouterLimits:
    try:
        return router_limits(settings, kind)
    except (LookupError, ValueError) as error:
        raise InputError(f"instance type = {kind}\n    {error}\n    fix: {_TYPE_FIX}") from None


def _policies(texts: list[str], env: Environment | None) -> list[Policy]:
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


def _trace(traffic: Traffic, settings: LauncherSettings, limits: RouterLimits) -> tuple[Trace, str]:
    longest = min(settings.max_input_length, limits.max_batch_prefill_tokens // 16 * 16)
    if traffic.file is not None:
        return TraceFile(traffic.file, longest, settings.max_total_tokens), str(traffic.file)
    text = traffic.duration or ("24h" if traffic.pattern == "daily" else "2h")
    duration = parse_duration(text, "duration")
    most_output = settings.max_total_tokens - 1
    inputs = parse_lengths(traffic.input_tokens, "--input", longest)
    outputs = parse_lengths(traffic.output_tokens, "--output", most_output)
    peak = 5 * traffic.rate if traffic.peak is None else traffic.peak
    trace = PoissonTrace(
        _rate(traffic, peak, duration), duration, inputs, outputs, traffic.seed, settings.max_total_tokens
    )
    _check_count(trace.expected_requests())
    return trace, _title(traffic, peak, text)


def _rate(traffic: Traffic, peak: float, duration: float) -> Rate:
    if traffic.pattern == "constant":
        return constant(traffic.rate)
    if traffic.pattern == "daily":
        return daily(traffic.rate, peak, peak_at_s=DAY_S * 14 / 24)
    if traffic.pattern == "burst":
        return burst(traffic.rate, peak, duration / 4, duration / 4)
    return ramp(traffic.rate, peak, duration)


def _title(traffic: Traffic, peak: float, duration: str) -> str:
    rates = f"{traffic.rate:g}" if traffic.pattern == "constant" else f"{traffic.rate:g} to {peak:g}"
    return (
        f"{traffic.pattern}: {rates} requests/s for {duration}, "
        f"prompts {traffic.input_tokens}, answers {traffic.output_tokens} tokens"
    )


def _check_count(expected: float) -> None:
    if expected > MOST_REQUESTS:
        raise TraceError(
            f"that makes some {expected:,.0f} requests: more than {MOST_REQUESTS:,}, too many one by one",
            "lower the rate or the duration",
        )
    if expected <= 0:
        raise TraceError("that makes no request at all", "raise --rate or --peak")
