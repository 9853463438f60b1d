"""Refusals and requests in flight, against cases with a solution on paper."""

from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.planner.queue import fewest_instances, in_flight, most_rate, refused_share


def as_many_servers(in_flight: float) -> float:
    """Each request in flight is served at 1 a second, whatever the others: Erlang's loss system."""
    return in_flight


def one_server(in_flight: float) -> float:
    """One request a second in all, however many are in flight: M/M/1/K."""
    return min(in_flight, 1.0)


def erlang_b(load: float, servers: int) -> float:
    """Erlang's loss formula."""
    terms = [load**k / factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize(("load", "instances", "limit"), [(1.0, 1, 1), (3.0, 1, 5), (8.0, 2, 5), (20.0, 5, 4)])
def test_requests_that_do_not_slow_each_other_are_refused_as_erlang_says(
    load: float, instances: int, limit: int
) -> None:
    assert refused_share(load, instances, limit, as_many_servers) == pytest.approx(erlang_b(load, instances * limit))


def test_one_server_with_room_for_three_refuses_as_a_finite_queue_does() -> None:
    rho = 0.5
    expected = (1 - rho) * rho**3 / (1 - rho**4)
    assert refused_share(rho, 1, 3, one_server) == pytest.approx(expected)


def test_the_probabilities_of_a_finite_queue_are_geometric() -> None:
    assert in_flight(0.5, 1, 3, one_server) == pytest.approx([8 / 15, 4 / 15, 2 / 15, 1 / 15])


def test_the_last_state_is_what_is_refused() -> None:
    assert in_flight(7.0, 3, 4, one_server)[-1] == pytest.approx(refused_share(7.0, 3, 4, one_server))


def test_the_most_rate_refuses_as_much_as_it_may() -> None:
    rate = most_rate(2, 5, as_many_servers, 0.01)
    assert refused_share(rate, 2, 5, as_many_servers) == pytest.approx(0.01, rel=1e-6)


def test_the_fewest_instances_are_enough_and_one_fewer_is_not() -> None:
    count = fewest_instances(30.0, 4, as_many_servers, 0.01, 100)
    assert count is not None
    assert refused_share(30.0, count, 4, as_many_servers) <= 0.01 < refused_share(30.0, count - 1, 4, as_many_servers)


def test_too_few_instances_are_none() -> None:
    assert fewest_instances(30.0, 4, as_many_servers, 0.01, 3) is None


@given(rate=st.floats(0.0001, 10_000), more=st.floats(1, 10), limit=st.integers(1, 64), instances=st.integers(1, 20))
def test_a_higher_rate_is_never_refused_less(rate: float, more: float, limit: int, instances: int) -> None:
    one, other = (refused_share(r, instances, limit, one_server) for r in (rate, rate * more))
    assert 0 <= one <= other * (1 + 1e-9) + 1e-11  # the sum is cut where no more than that is left
    assert other <= 1
