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
    results = [
        simulate(listed([1.0, 200.0]), fleet, Policy(name, count, count)) for name, count in (("a", 1), ("b", 2))
    ]
    for name in ("one", "two"):
        plot_simulations(results, tmp_path / f"{name}{suffix}", "two policies")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_a_picture_names_its_policies_and_shows_more_than_axes(fleet: Fleet, listed: Listed, tmp_path: Path) -> None:
    trace = listed([float(second) for second in range(500)])
    plot_simulations([simulate(trace, fleet, Policy("three instances", 3, 3))], tmp_path / "one.svg", "constant")
    assert "three instances" in (tmp_path / "one.svg").read_text(encoding="utf-8")
    plot_simulations([simulate(trace, fleet, Policy("three instances", 3, 3))], tmp_path / "one.png", "constant")
    latency = image.imread(tmp_path / "one.png")[-420:-90, 150:-50, :3]  # the lowest panel
    blue = (latency[:, :, 2] - latency[:, :, 0]) > 0.3
    assert blue.sum() > 500
