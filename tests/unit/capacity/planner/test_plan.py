"""Whole plans: they keep their objective in a simulation that is not theirs, and follow the workload as they should."""

import re
from dataclasses import replace
from functools import cache

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mistral7b.capacity.fleet.arrivals import poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import Summary, simulate
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.planner.candidates import Pinned
from mistral7b.capacity.planner.check import AVERAGE, BURST, CLIMB
from mistral7b.capacity.planner.plan import Plan, plan
from mistral7b.capacity.planner.search import InfeasibleError
from mistral7b.capacity.planner.service import simulated as simulated_once
from mistral7b.workload import TokenSpread, Workload
from scaling_rules import Policy
from tests.unit.capacity.planner.conftest import PARAMETERS, make_workload

# An example makes two or three plans, some of them in a second.
ALL = settings.get_current_profile_name() == "all"
FEW = settings(max_examples=8 if ALL else 3, deadline=None, derandomize=True, database=None)


PLANS: dict[str, Plan] = {}


def made(workload: Workload, **pinned: int) -> Plan:
    """The plan of a workload, which several tests look at."""
    key = f"{workload!r} {pinned}"
    if key not in PLANS:
        PLANS[key] = plan(workload, PARAMETERS, Pinned(**pinned))
    return PLANS[key]


# With one candidate a plan takes a fraction of the time.
ONE = {"max_input_length": 4000, "max_total_tokens": 5000, "max_batch_prefill_tokens": 4096}


def simulated(found: Plan) -> Summary:
    """The peak on the planned instances by the fleet's own draws and engine, some 20,000 requests."""
    workload, chosen = found.workload, found.settings
    limits = replace(found.option.candidate.limits, max_concurrent_requests=chosen.max_concurrent_requests)
    lengths = [
        tokens.model_copy(update={"longest": most}) if isinstance(tokens, TokenSpread) else tokens
        for tokens, most in (
            (workload.input_tokens, workload.longest_prompt),
            (workload.output_tokens, workload.longest_answer),
        )
    ]
    peak = workload.requests_per_second.peak
    rate = rate_over_time("constant", peak, peak, 20_000 / peak)
    trace = poisson_trace(rate, 20_000 / peak, *lengths, seed=7, max_total_tokens=chosen.max_total_tokens)
    all_instances = Policy("all", chosen.max_instances, chosen.max_instances)
    return simulate(trace, Fleet(PARAMETERS, limits), all_instances).summary


WORKLOADS = {
    "chat": make_workload(),
    "one instance": make_workload(0.3, 0.8, objective={"p95_seconds": 15}),
    "many instances": make_workload(10, 40, objective={"p50_ms_per_token": 55}),
    "long prompts": make_workload(
        1, 3, input_tokens={"mean": 2500, "p95": 4000}, objective={"p95_ms_per_token": 200}
    ),
    "samples": make_workload(1, 6, output_tokens=[20, 50, 100, 400], objective={"p95_ms_per_token": 120}),
    "equal": make_workload(1, 4, input_tokens=512, output_tokens=128, objective={"p95_ms_per_token": 80}),
}  # fmt: skip


@cache
def planned(name: str) -> tuple[Plan, Summary]:
    """The plan of one of the workloads, and its peak simulated."""
    found = made(WORKLOADS[name])
    return found, simulated(found)


@pytest.mark.xdist_group("planned")
@pytest.mark.parametrize("name", WORKLOADS)
def test_an_independent_simulation_of_the_peak_keeps_the_objective(name: str) -> None:
    workload, (_, summary) = WORKLOADS[name], planned(name)
    measured = {
        "p50_ms_per_token": summary.per_token_ms[0],
        "p95_ms_per_token": summary.per_token_ms[1],
        "p50_seconds": summary.latency_s[0],
        "p95_seconds": summary.latency_s[1],
    }
    for objective, limit in workload.objective.latencies().items():
        assert measured[objective] <= limit, objective
    assert (summary.refused + summary.timed_out) / summary.requests <= workload.objective.lost_percent / 100


@pytest.mark.xdist_group("planned")
@pytest.mark.parametrize("name", WORKLOADS)
def test_expected_latencies_agree_with_an_independent_simulation_within_a_tenth(name: str) -> None:
    found, summary = planned(name)
    expected = found.option.at_peak
    for unit, times in (("seconds", summary.latency_s), ("ms_per_token", summary.per_token_ms)):
        assert expected.latencies[f"p50_{unit}"] == pytest.approx(times[0], rel=0.1)
        assert expected.latencies[f"p95_{unit}"] == pytest.approx(times[1], rel=0.1)
    assert expected.refused + expected.timed_out == pytest.approx(
        (summary.refused + summary.timed_out) / summary.requests, abs=0.01
    )


def test_scaling_begins_early_enough_for_the_climb() -> None:
    workload = make_workload(1, 8)
    found = made(workload)
    climb = found.scenarios[CLIMB]
    assert climb.summary.most_instances > found.settings.min_instances
    assert climb.lost <= 0.01


def test_chance_alone_keeps_hardly_more_than_the_fewest_instances_at_the_average() -> None:
    tokens = {"input_tokens": {"mean": 400, "p95": 1500}, "output_tokens": {"mean": 150, "p95": 400}}
    found = made(make_workload(0.6, 2.5, objective={"p50_ms_per_token": 60, "p95_seconds": 30}, **tokens))
    average = found.scenarios[AVERAGE]
    assert (found.settings.min_instances, found.settings.max_instances) == (1, 2)
    assert average.mean_instances < 1.1
    lower = next(other for other in found.runners_up if other.what.startswith("target_concurrent_requests"))
    assert "chance alone adds instances: 1." in lower.why
    assert float(lower.what.split()[1]) < found.settings.target_concurrent_requests


def test_the_most_instances_have_the_headroom_that_is_asked_for() -> None:
    close, far = (made(make_workload(4, 12, headroom_percent=percent)) for percent in (0, 40))
    assert close.settings.max_instances < far.settings.max_instances
    assert far.option.most_rate >= 1.4 * 12


def test_long_answers_can_be_planned_if_they_are_streamed() -> None:
    objective = {"p50_first_token_seconds": 2, "p95_seconds": 300}
    found = made(make_workload(output_tokens=3000, streaming=True, objective=objective))
    assert found.option.at_peak.latencies["p50_first_token_seconds"] <= 2
    assert 60 < found.option.at_peak.latencies["p50_seconds"] <= 300
    assert found.option.at_peak.timed_out < 0.01


def test_requests_that_sample_are_planned_slower() -> None:
    greedy, sampled = (made(make_workload(sampling=value)).option for value in (False, True))
    assert sampled.at_peak.latencies["p50_ms_per_token"] > greedy.at_peak.latencies["p50_ms_per_token"]
    assert sampled.limit < greedy.limit


def test_a_time_to_the_first_token_can_be_what_binds() -> None:
    found = made(make_workload(streaming=True, objective={"p95_first_token_seconds": 0.6}))
    assert found.option.allowed.bound_by == "p95_first_token_seconds"


def test_callers_that_ask_for_long_answers_are_simulated_too() -> None:
    found = made(make_workload(1, 6, max_new_tokens=1000, climb_minutes=5))
    assert {*found.scenarios} == {AVERAGE, CLIMB, BURST}


def test_a_plan_depends_on_the_workload_alone() -> None:
    one = plan(make_workload(), PARAMETERS, Pinned())
    simulated_once.cache_clear()
    other = plan(make_workload(), PARAMETERS, Pinned())
    assert (one.settings, one.runners_up) == (other.settings, other.runners_up)
    assert one.option.at_peak == other.option.at_peak


@FEW
@given(average=st.floats(0.01, 5), share=st.floats(1, 10), more=st.floats(1, 3))
def test_a_higher_rate_never_needs_fewer_instances(average: float, share: float, more: float) -> None:
    one = made(make_workload(average, average * share), **ONE).settings
    other = made(make_workload(average * more, average * share * more), **ONE).settings
    assert one.min_instances <= other.min_instances
    assert one.max_instances <= other.max_instances


@FEW
@given(
    per_token=st.floats(45, 200), seconds=st.floats(9, 60), looser=st.floats(1, 2), peak=st.floats(1, 20)
)  # fmt: skip
def test_a_looser_objective_never_costs_more(per_token: float, seconds: float, looser: float, peak: float) -> None:
    def sized(factor: float) -> tuple[int, int]:
        objective = {"p95_ms_per_token": per_token * factor, "p95_seconds": min(60.0, seconds * factor)}
        found = made(make_workload(peak / 4, peak, objective=objective), **ONE).settings
        return found.min_instances, found.max_instances

    try:
        strict = sized(1)
    except InfeasibleError:
        assume(False)
    loose = sized(looser)
    assert loose[0] <= strict[0]
    assert loose[1] <= strict[1]


@FEW
@given(
    objective=st.fixed_dictionaries(
        {"p50_ms_per_token": st.floats(1, 30)}, optional={"p95_seconds": st.floats(0.5, 12)}
    ),
    peak=st.floats(0.1, 200),
)
def test_the_nearest_objective_that_is_offered_can_be_met(objective: dict[str, float], peak: float) -> None:
    workload = make_workload(peak / 2, peak, objective=objective)
    with pytest.raises(InfeasibleError) as caught:
        made(workload, **ONE)
    offered = caught.value.fix.removeprefix("the nearest objective that can be met is ")
    assert (offered == caught.value.fix) == ("lower the peak rate" in caught.value.fix)
    if offered != caught.value.fix:
        nearest = make_workload(peak / 2, peak, objective=objective | yaml.safe_load(f"{{{offered}}}"))
        assert made(nearest, **ONE).settings.max_instances <= 100


def test_a_rate_beyond_all_instances_is_refused_with_the_rate_that_can_be_served() -> None:
    with pytest.raises(InfeasibleError, match="100 instances are too few") as caught:
        made(make_workload(100, 9000))
    rate = float(caught.value.fix.split("peak rate to ")[1].split()[0])
    assert made(make_workload(1, rate, climb_minutes=600)).settings.max_instances == 100


def test_answers_that_take_over_60_seconds_alone_are_refused() -> None:
    with pytest.raises(InfeasibleError, match=r"of the answers take over 60 s even alone(.|\n)*set streaming: true"):
        made(make_workload(output_tokens=3000, objective={"p50_seconds": 60}))


def test_prompts_of_every_length_that_validation_lets_in_fit_into_a_prefill() -> None:
    chosen = made(
        make_workload(input_tokens=[100, 8000, 8142], output_tokens=50, objective={"p50_seconds": 30})
    ).settings
    assert chosen.max_batch_prefill_tokens >= chosen.max_input_length
    assert chosen.max_batch_prefill_tokens % 16 == 0


def test_more_memory_is_what_an_instance_lacks_where_callers_ask_for_long_answers() -> None:
    loose = {"p95_ms_per_token": 150, "lost_percent": 10}
    short, long = (made(make_workload(objective=loose, max_new_tokens=n)).option for n in (None, 3000))
    assert (short.binds, long.binds) == ("prefill", "memory")
    assert long.limit < short.limit


@pytest.mark.parametrize(("prompt", "answer", "binds"), [(3000, 20, "prefill"), (100, 400, "decode")])
def test_long_prompts_bind_by_their_prefill_and_long_answers_by_their_decoding(
    prompt: int, answer: int, binds: str
) -> None:
    objective = {"p95_ms_per_token": 60} if answer > 100 else {"p95_seconds": 10}
    found = made(make_workload(1, 2, input_tokens=prompt, output_tokens=answer, objective=objective)).option
    assert found.binds == binds


def test_a_plan_that_flaps_in_the_burst_is_planned_again_with_another_target() -> None:
    tokens = {"input_tokens": {"mean": 200, "p95": 600}, "output_tokens": {"mean": 60, "p95": 200}}
    objective = {"p50_ms_per_token": 80, "p95_seconds": 50}
    found = made(make_workload(2, 6, climb_minutes=480, objective=objective, **tokens))
    other = next(one for one in found.runners_up if "flaps" in one.why)
    assert other.what.startswith("target_concurrent_requests")
    assert other.what.split()[1] != f"{found.settings.target_concurrent_requests:g}"
    assert found.flaps < int(other.why.split()[1])


def test_what_a_zone_failure_leaves_is_a_share_of_average_and_peak() -> None:
    one, two = (made(make_workload(1, 8, survives_zone=value)) for value in (False, True))
    assert made(make_workload(0.01, 0.02)).served_without_a_zone(2) == (0.0, 0.0)
    average, peak = two.served_without_a_zone(2)
    assert 0.9 < average <= 1
    assert 0.2 < peak < 1
    assert two.served_without_a_zone(3)[1] >= peak
    assert one.served_without_a_zone(2)[0] <= average


def test_an_environment_that_survives_a_zone_has_two_instances() -> None:
    assert made(make_workload(0.01, 0.02)).settings.min_instances == 1
    assert made(make_workload(0.01, 0.02, survives_zone=True)).settings.min_instances == 2


def test_a_sudden_peak_needs_its_instances_at_once() -> None:
    slow, sudden = (made(make_workload(1, 8, climb_minutes=m)).settings for m in (240, 0))
    assert slow.min_instances < sudden.min_instances == sudden.max_instances


def test_what_is_pinned_is_kept() -> None:
    found = made(make_workload(), max_concurrent_requests=5, max_input_length=5000, max_batch_prefill_tokens=6000)
    assert found.settings.max_concurrent_requests == 5
    assert (found.settings.max_input_length, found.settings.max_batch_prefill_tokens) == (5000, 6000)


def test_a_pinned_limit_that_breaks_the_objective_is_refused_with_one_that_does_not() -> None:
    with pytest.raises(InfeasibleError, match="MAX_CONCURRENT_REQUESTS 128 in flight") as caught:
        made(make_workload(), max_concurrent_requests=128)
    fits = int(caught.value.fix.split()[3])
    assert made(make_workload(), max_concurrent_requests=fits).settings.max_concurrent_requests == fits


def test_a_pinned_length_that_refuses_too_much_is_refused() -> None:
    with pytest.raises(InfeasibleError, match="of the requests are longer than MAX_INPUT_LENGTH 300"):
        made(make_workload(), max_input_length=300)


def test_every_runner_up_says_why_it_loses() -> None:
    found = made(make_workload(1, 8))
    reasons = {other.what.split()[0]: other.why for other in found.runners_up}
    assert {"MAX_CONCURRENT_REQUESTS", "MAX_INPUT_LENGTH", "max_instances"} <= reasons.keys()
    fewer = next(other for other in found.runners_up if other.what.startswith("max_instances"))
    assert float(fewer.why.split()[1].rstrip("%")) > 0.25  # what may be refused


def test_the_smaller_limit_says_what_it_would_refuse() -> None:
    found = made(make_workload(1, 8))
    limits = [one for one in found.runners_up if one.what.startswith("MAX_CONCURRENT_REQUESTS")]
    larger, smaller = sorted(limits, key=lambda one: -int(one.what.split()[1]))
    assert int(smaller.what.split()[1]) < found.settings.max_concurrent_requests < int(larger.what.split()[1])
    more, less = (float(share) for share in re.findall(r"([0-9.]+)%", smaller.why))
    assert more > less
