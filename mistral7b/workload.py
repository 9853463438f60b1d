"""The workload: what traffic comes, and how fast it has to be served. A section of environment files."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from mistral7b.yamlfile import Section, refusal

MOST_TOKENS = 8192
"""Tokens of prompt and answer together that are planned for: JumpStart's MAX_TOTAL_TOKENS."""

# The 95% quantile of the standard normal distribution.
_Z95 = 1.6448536269514722
# Where a distribution that is given by mean and p95 ends unless the file says so: its 99.9% quantile.
_Z999 = 3.090232306167813
MOST_P95_TO_MEAN = 3.86
"""exp(z²/2): no lognormal distribution has its p95 further above the mean."""


def lognormal(mean: float, p95: float) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm of a lognormal distribution, by its own mean and 95% quantile.

    With p95 = exp(mu + z·sigma) and mean = exp(mu + sigma²/2): sigma²/2 - z·sigma + ln(p95/mean) = 0, of which the
    smaller root is taken.
    """
    sigma = _Z95 - math.sqrt(_Z95**2 - 2 * math.log(p95 / mean))
    return math.log(mean) - sigma**2 / 2, sigma


_LEAST_RATE, _MOST_RATE = 0.0001, 10_000
_Rate = Annotated[float, Field(ge=_LEAST_RATE, le=_MOST_RATE)]
_Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS - 1)]


class TokenSpread(Section):
    """A lognormal distribution of tokens."""

    mean: Annotated[float, Field(ge=1, le=MOST_TOKENS - 1)]
    """Tokens on average."""
    p95: Annotated[float, Field(ge=1, le=MOST_TOKENS - 1)]
    """Tokens that 95 of 100 do not exceed: above the mean, 3.86 times the mean at most."""
    longest: _Tokens | None = None
    """Tokens at which longer ones are cut. Default: the distribution's 99.9% quantile."""

    @model_validator(mode="after")
    def _exists(self) -> "TokenSpread":
        if not self.mean < self.p95 <= MOST_P95_TO_MEAN * self.mean:
            raise refusal(
                f"no lognormal distribution has mean {self.mean:g} and p95 {self.p95:g}",
                f"use a p95 above the mean and up to {MOST_P95_TO_MEAN * self.mean:.0f}, one number, or a list",
            )
        if self.longest is not None and self.longest < self.p95:
            raise refusal("longest is below p95", f"set longest to {math.ceil(self.p95)} or more, or leave it out")
        return self

    def at(self, normal: float) -> float:
        """Tokens where the standard normal distribution has `normal`."""
        mu, sigma = lognormal(self.mean, self.p95)
        return math.exp(mu + sigma * normal)

    @property
    def most(self) -> int:
        """The longest, as given or by the distribution."""
        return self.longest or min(MOST_TOKENS - 1, max(1, math.ceil(self.at(_Z999))))


def _form_of_tokens(value: Any) -> str:
    if isinstance(value, list):
        return "samples"
    return "spread" if isinstance(value, dict | TokenSpread) else "constant"


Tokens = Annotated[
    Annotated[_Tokens, Tag("constant")]
    | Annotated[TokenSpread, Tag("spread")]
    | Annotated[list[_Tokens], Field(min_length=1, max_length=2_000), Tag("samples")],
    Discriminator(_form_of_tokens),
]


class RequestRate(Section):
    """Requests per second, all callers together."""

    average: _Rate
    """On average. Instances that always run are sized by it."""
    peak: _Rate
    """At the busiest time. The largest number of instances is sized by it."""

    @model_validator(mode="after")
    def _ordered(self) -> "RequestRate":
        if self.average > self.peak:
            raise refusal(
                f"the average, {self.average:g}, is above the peak, {self.peak:g}", "swap them, or raise the peak"
            )
        return self


def _rates(value: Any) -> Any:
    """A number of requests per second is both average and peak."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not _LEAST_RATE <= value <= _MOST_RATE:
        raise refusal(f"it is not between {_LEAST_RATE:g} and {_MOST_RATE:g}", "give requests per second, such as 2.5")
    return {"average": float(value), "peak": float(value)}


_Rates = Annotated[
    Annotated[_Rate, Tag("constant")] | Annotated[RequestRate, Tag("spread")], Discriminator(_form_of_tokens)
]
UNITS = ("ms_per_token", "seconds", "first_token_seconds")
LATENCIES = tuple(f"p{level}_{unit}" for unit in UNITS for level in (50, 95))
"""The latencies that an objective may have."""
ANSWER_LIMIT_S = 60.0
"""Seconds in which a container has to answer; later, the caller gets an error.

Source: API_runtime_InvokeEndpoint: "A customer's model containers must respond to requests within 60 seconds."
"""
STREAM_LIMIT_S = 480.0
"""Seconds until a streamed answer has to end. Source: API_runtime_InvokeEndpointWithResponseStream: 8 minutes."""
_Milliseconds = Annotated[float, Field(gt=0, le=60_000)]
_Seconds = Annotated[float, Field(gt=0, le=STREAM_LIMIT_S)]


class Objective(Section):
    """How fast answers must be, as the client sees it. At least one of the six latencies is required."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    p50_ms_per_token: _Milliseconds | None = None
    """Milliseconds of an answer divided by its tokens, median."""
    p95_ms_per_token: _Milliseconds | None = None
    """The same, 95% quantile."""
    p50_seconds: _Seconds | None = None
    """Seconds until the answer is complete, median. SageMaker waits 60, with `streaming` 480."""
    p95_seconds: _Seconds | None = None
    """The same, 95% quantile."""
    p50_first_token_seconds: _Seconds | None = None
    """Seconds until the first token comes, median. Only with `streaming`: else an answer comes as a whole."""
    p95_first_token_seconds: _Seconds | None = None
    """The same, 95% quantile."""
    lost_percent: Annotated[float, Field(ge=0.1, le=50)] = 1.0
    """Requests of a hundred that may be refused (429) or exceed SageMaker's time limit at the peak; half for each."""

    @model_validator(mode="after")
    def _some(self) -> "Objective":
        if not self.latencies():
            raise refusal("it has no latency", f"give one of {', '.join(LATENCIES)}")
        return self

    def latencies(self) -> dict[str, float]:
        """The latencies that are asked for, by their field."""
        return {name: value for name in LATENCIES if (value := getattr(self, name)) is not None}


class Workload(Section):
    """Expected traffic and the latency it needs: `mistral7b plan` and every `auto` work out settings from it."""

    input_tokens: Tokens
    """Tokens of a prompt: a number, a distribution's mean and p95, or a list of samples, each as likely."""
    output_tokens: Tokens
    """Tokens of an answer, in the same forms."""
    max_new_tokens: _Tokens | None = None
    """The largest `max_new_tokens` of callers: TGI reserves memory for it. Default: each answer's own length."""
    requests_per_second: Annotated[RequestRate, BeforeValidator(_rates, json_schema_input_type=_Rates)]
    """A number, or an average and a peak."""
    objective: Objective
    sampling: bool = False
    """Whether requests sample (`do_sample` or `temperature`), which takes longer. By default they do not."""
    streaming: bool = False
    """Whether answers are streamed: SageMaker then waits for 8 minutes instead of 60 s."""
    headroom_percent: Annotated[float, Field(ge=0, le=100)] = 10.0
    """How much more than the peak the largest number of instances must serve, as no forecast is exact."""
    climb_minutes: Annotated[float, Field(ge=0, le=1440)] = 15.0
    """Minutes in which the rate climbs from average to peak. The quicker, the more instances always run."""
    survives_zone: bool = False
    """Whether at least two instances run, which SageMaker puts into different zones: if a zone fails, the other
    instance continues, more slowly. Without it the plan may be one instance, and `mistral7b plan` says so."""

    @model_validator(mode="after")
    def _fits_the_model(self) -> "Workload":
        for name, value in self.objective.latencies().items():
            if not self.streaming and ("first_token" in name or (name.endswith("seconds") and value > ANSWER_LIMIT_S)):
                raise refusal(
                    f"objective.{name} is {value:g}, and SageMaker gives an answer as a whole, in {ANSWER_LIMIT_S:g} s",
                    "set streaming: true, or ask for the whole answer in less",
                )
        tokens = self.input_tokens
        needed = longest(tokens)
        if isinstance(tokens, TokenSpread) and tokens.longest is None:
            needed = math.ceil(tokens.p95)  # longer ones are cut
        if self.longest_prompt < needed:
            raise refusal(
                f"prompts of {needed} tokens and answers of {self.longest_answer} are together more than {MOST_TOKENS}",
                "lower max_new_tokens, or shorten output_tokens (its longest) or input_tokens",
            )
        return self

    @property
    def answer_limit_s(self) -> float:
        """Seconds after which SageMaker gives up on an answer."""
        return STREAM_LIMIT_S if self.streaming else ANSWER_LIMIT_S

    @property
    def longest_answer(self) -> int:
        """Tokens that admission has to reckon with for an answer."""
        return longest(self.output_tokens) if self.max_new_tokens is None else self.max_new_tokens

    @property
    def longest_prompt(self) -> int:
        """Tokens of the longest prompt that fits with the longest answer."""
        return min(longest(self.input_tokens), MOST_TOKENS - self.longest_answer)


def longest(tokens: Tokens) -> int:
    """The most tokens of a distribution."""
    if isinstance(tokens, TokenSpread):
        return tokens.most
    return max(tokens) if isinstance(tokens, list) else tokens
