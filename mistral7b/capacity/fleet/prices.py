"""What an instance costs."""

PRICES_AS_OF = "2024, us-east-1, on demand"

# USD per hour of real-time hosting: aws.amazon.com/sagemaker/pricing. Prices change; a user can give today's, or
# that of another type.
_USD_PER_HOUR = {
    "ml.g5.2xlarge": 1.515,
}


def usd_per_hour(instance_type: str) -> float | None:
    """The built-in price of an instance type, as of PRICES_AS_OF; None if there is none."""
    return _USD_PER_HOUR.get(instance_type)
