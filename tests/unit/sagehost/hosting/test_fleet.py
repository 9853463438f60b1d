"""Which instance and which variant the next request goes to."""

from collections import Counter

from mistral7b.tgi import LauncherSettings
from sagehost.hosting.container import TgiContainer
from sagehost.hosting.fleet import EndpointKey, Fleet, Instance, RunningEndpoint, RunningVariant


def variant(
    name: str = "AllTraffic", weight: float = 1.0, least: bool = True, in_flight: tuple[int, ...] = (0,)
) -> RunningVariant:
    instances = []
    for count in in_flight:
        container = TgiContainer(LauncherSettings())
        container.in_flight = count
        instances.append(Instance(Instance.new_id(), container))
    return RunningVariant(name, weight, tuple(instances), least)


def test_least_outstanding_chooses_the_instance_with_the_fewest_requests() -> None:
    running = variant(in_flight=(3, 1, 2))
    assert {running.choose_instance().container.in_flight for _ in range(20)} == {1}


def test_instances_with_equally_few_requests_share_them() -> None:
    running = variant(in_flight=(1, 1, 5))
    assert {running.choose_instance().instance_id for _ in range(200)} == {
        instance.instance_id for instance in running.instances[:2]
    }


def test_random_routing_chooses_busy_instances_too() -> None:
    running = variant(least=False, in_flight=(0, 9))
    assert {running.choose_instance().container.in_flight for _ in range(200)} == {0, 9}


def test_variants_share_requests_by_weight() -> None:
    endpoint = RunningEndpoint((variant("Blue", 3.0), variant("Green", 1.0)))
    served = Counter(endpoint.choose_variant().name for _ in range(4000))
    assert 2700 < served["Blue"] < 3300


def test_variants_without_any_weight_share_requests_equally() -> None:
    endpoint = RunningEndpoint((variant("Blue", 0.0), variant("Green", 0.0)))
    assert {endpoint.choose_variant().name for _ in range(200)} == {"Blue", "Green"}


def test_an_endpoint_is_found_until_it_is_removed() -> None:
    fleet, key = Fleet(), EndpointKey("111122223333", "us-east-1", "dev")
    assert fleet.find(key) is None
    fleet.put(key, [variant()])
    found = fleet.find(key)
    assert found is not None
    assert found.variant("AllTraffic") is not None
    assert found.variant("Blue") is None
    fleet.remove(key)
    assert fleet.find(key) is None
