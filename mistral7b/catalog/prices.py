"""What an instance costs."""

PRICES_AS_OF = "2024, us-east-1, on demand"

# USD per hour of real-time hosting: aws.amazon.com/sagemaker/pricing. Prices change; a user can give today's, or
# that of another type.
_USD_PER_HOUR = {"ml.g5.2xlarge": 1.515}


def price_of(instance_type: str, given: float | None) -> tuple[float | None, str]:
    """USD per hour of an instance type, the one `given` or else the built-in one, and where the price is from."""
    if given is not None:
        return given, "--price"
    price = _USD_PER_HOUR.get(instance_type)
    return price, "none built in" if price is None else PRICES_AS_OF
