"""Policies and durations as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.fleet.policy_spec import parse_policy
from mistral7b.capacity.fleet.trace import parse_duration
from mistral7b.errors import UserError
from scaling_rules import Policy, ScheduledAction

DEFAULTS = Policy("", 1, 4, scale_out_cooldown_s=60.0, scale_in_cooldown_s=300.0)


def test_a_fixed_policy_has_one_bound() -> None:
    assert parse_policy("fixed:3", DEFAULTS) == Policy("fixed:3", 3, 3)


def test_what_a_policy_leaves_out_comes_from_the_defaults() -> None:
    policy = parse_policy("concurrency:16", DEFAULTS)
    assert (policy.metric, policy.target, policy.min_capacity, policy.max_capacity) == ("concurrency", 16.0, 1, 4)
    assert (policy.scale_out_cooldown_s, policy.scale_in_cooldown_s, policy.start) == (60.0, 300.0, 1)


def test_every_setting_is_read() -> None:
    text = "invocations:90,min=2,max=9,start=3,out=2m,in=600,min@7h=4,max@20h=5"
    policy = parse_policy(text, DEFAULTS)
    assert (policy.name, policy.metric, policy.target, policy.start) == (text, "invocations", 90.0, 3)
    assert (policy.min_capacity, policy.max_capacity) == (2, 9)
    assert (policy.scale_out_cooldown_s, policy.scale_in_cooldown_s) == (120.0, 600.0)
    assert policy.schedule == (
        ScheduledAction(25_200.0, min_capacity=4),
        ScheduledAction(72_000.0, max_capacity=5),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no kind of policy"),
        ("latency:3", "no kind of policy"),
        ("fixed:", "needs a number of instances"),
        ("fixed:0", "needs a number of instances"),
        ("fixed:3,max=4", "has no settings"),
        ("concurrency", "needs a target above 0"),
        ("concurrency:-1", "needs a target above 0"),
        ("concurrency:nan", "needs a target above 0"),
        ("concurrency:4,max", "no setting"),
        ("concurrency:4,most=3", "no setting"),
        ("concurrency:4,out@3h=5", "no setting"),
        ("concurrency:4,max=1.5", "needs a number of instances"),
        ("concurrency:4,max=99999", "needs a number of instances"),
        ("concurrency:4,min=5", "min 5 is above max 4"),
        ("concurrency:4,start=9", "start 9 is not between"),
        ("concurrency:4,min@1h=9", "from 3600 s on, min 9 is above max 4"),
        ("concurrency:4,in=soon", "no setting|not a duration"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_a_fix(text: str, reason: str) -> None:
    with pytest.raises(UserError, match=f"({reason})(.|\n)*fix:"):
        parse_policy(text, DEFAULTS)


@given(st.text(max_size=30))
def test_no_text_ends_in_anything_but_a_policy_or_a_refusal(text: str) -> None:
    try:
        policy = parse_policy(text, DEFAULTS)
    except UserError:
        return
    assert 1 <= policy.min_capacity <= policy.start <= policy.max_capacity


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5h", 5400), ("5m", 300), ("1d", 86_400)])
def test_durations_have_units(text: str, seconds: float) -> None:
    assert parse_duration(text, "duration") == seconds


@pytest.mark.parametrize("text", ["", "-1", "5 minutes", "nan", "32d", "1e3", "9" * 400])
def test_a_wrong_duration_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="not a duration"):
        parse_duration(text, "duration")
