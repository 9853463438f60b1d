"""What an instance costs. prices.json has what else costs something."""

from mistral7b.catalog.data import load

PRICES_AS_OF = "2024, us-east-1, on demand"


def price_of(instance_type: str, given: float | None) -> tuple[float | None, str]:
    """USD per hour of an instance type, the one `given` or else the built-in one, and where the price is from."""
    if given is not None:
        return given, "--price"
    price = load("prices.json")["usd"]["us-east-1"]["instance_hour"].get(instance_type)
    return price, "none built in" if price is None else PRICES_AS_OF
