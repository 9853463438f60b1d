"""What an instance costs."""

PRICES_AS_OF = "2024, us-east-1, on demand"

# USD per hour of real-time hosting: aws.amazon.com/sagemaker/pricing. Prices change; a user can give today's.
_USD_PER_HOUR = {
    "ml.g5.2xlarge": 1.515,
    "ml.g5.4xlarge": 2.03,
    "ml.g5.8xlarge": 3.06,
    "ml.g5.16xlarge": 5.12,
}


def usd_per_hour(instance_type: str) -> float | None:
    """The built-in price of an instance type, as of PRICES_AS_OF; None if there is none."""
    return _USD_PER_HOUR.get(instance_type)
