"""Pictures of simulations."""

from pathlib import Path

import pytest
from matplotlib import image

from mistral7b.capacity.fleet.exact import simulate
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.plots import plot_simulations
from scaling_rules import Policy
from tests.unit.capacity.fleet.conftest import Listed


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_picture_is_the_same_each_time(fleet: Fleet, listed: Listed, tmp_path: Path, suffix: str) -> None:
    policies = [Policy("one instance", 1, 1), Policy("two instances", 2, 2)]
    results = [simulate(listed([1.0, 200.0]), fleet, policy) for policy in policies]
    for name in ("one", "two"):
        plot_simulations(results, tmp_path / f"{name}{suffix}", "two policies")
    drawn = (tmp_path / f"one{suffix}").read_bytes()
    assert drawn == (tmp_path / f"two{suffix}").read_bytes()
    assert suffix == ".png" or all(policy.name.encode() in drawn for policy in policies)


def test_a_picture_shows_more_than_axes(fleet: Fleet, listed: Listed, tmp_path: Path) -> None:
    trace = listed([float(second) for second in range(500)])
    plot_simulations([simulate(trace, fleet, Policy("three instances", 3, 3))], tmp_path / "one.png", "constant")
    latency = image.imread(tmp_path / "one.png")[-420:-90, 150:-50, :3]  # the lowest panel
    blue = (latency[:, :, 2] - latency[:, :, 0]) > 0.3
    assert blue.sum() > 500


def test_a_picture_of_a_simulation_tells_what_is_lost_what_it_costs_and_the_limit(
    fleet: Fleet, listed: Listed, tmp_path: Path
) -> None:
    trace = listed([float(second) for second in range(500)])
    plot_simulations([simulate(trace, fleet, Policy("one", 1, 1))], tmp_path / "one.svg", "title", 3.0)
    drawn = (tmp_path / "one.svg").read_text(encoding="utf-8")
    for text in ("refused or", "timed out, %", "0.00%", "0.50 USD", "60 s limit"):
        assert text in drawn
