"""Availability zone names, so that a synth needs no look-up."""

from mistral7b.catalog.data import load


def availability_zones(region: str) -> tuple[str, ...]:
    """Names of the zones that an account sees in `region`; empty where they differ between accounts.

    Which of them offers a given instance type cannot be known offline.
    """
    letters: list[str] = load("availability_zones.json")["zones"].get(region, [])
    return tuple(region + letter for letter in letters)
