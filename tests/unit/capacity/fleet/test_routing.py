"""Which instance a request goes to."""

from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.fleet.exact import least_outstanding

loads = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(in_flight=loads, last=st.integers(-1, 12))
def test_least_outstanding_takes_an_instance_with_the_fewest(in_flight: list[int], last: int) -> None:
    assert in_flight[least_outstanding(in_flight, last)] == min(in_flight)


def test_equals_take_turns() -> None:
    taken = [-1]
    for _ in range(5):
        taken.append(least_outstanding([2, 1, 1, 3, 1], taken[-1]))
    assert taken[1:] == [1, 2, 4, 1, 2]
