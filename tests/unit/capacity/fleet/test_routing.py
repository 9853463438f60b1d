"""Routing rules."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.fleet.exact import router

loads = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(states=st.lists(loads, min_size=1, max_size=20))
def test_least_outstanding_takes_an_instance_with_the_fewest(states: list[list[int]]) -> None:
    route = router("least-outstanding", 0)
    for in_flight in states:
        assert in_flight[route(in_flight)] == min(in_flight)


def test_equals_take_turns() -> None:
    route = router("least-outstanding", 0)
    assert [route([2, 1, 1, 3, 1]) for _ in range(5)] == [1, 2, 4, 1, 2]


@given(in_flight=loads, seed=st.integers(0, 1000))
def test_random_routing_takes_one_that_is_there_and_repeats_by_seed(in_flight: list[int], seed: int) -> None:
    first, second = router("random", seed), router("random", seed)
    for _ in range(20):
        place = first(in_flight)
        assert 0 <= place < len(in_flight)
        assert place == second(in_flight)


def test_random_routing_is_even() -> None:
    route = router("random", 1)
    chosen = Counter(route([0] * 4) for _ in range(8000))
    assert all(1800 < chosen[place] < 2200 for place in range(4))
