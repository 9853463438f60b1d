"""What an instance costs now, by the AWS Price List Query API."""

import json

import boto3
import jmespath
from botocore.config import Config

from mistral7b.catalog.data import partition
from mistral7b.endpoint.caller import endpoint_url, is_embedded
from mistral7b.endpoint.errors import AccessDeniedError, EndpointError, translated
from mistral7b.operate.costs import Price, price_of

_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
_USD = "terms.OnDemand.*.priceDimensions[].*.pricePerUnit.USD[]"


def current_price(session: boto3.Session, region: str, instance_type: str) -> Price:
    """The AWS Price List's price (pricing:GetProducts), or else the built-in one, with what kept from asking."""
    built_in, source = price_of(region, instance_type)
    if partition(region) != "aws" or is_embedded(endpoint_url()):  # CNY, or no price list
        return built_in, source
    wanted = {"regionCode": region, "instanceName": instance_type, "platoinstancetype": "Hosting"}
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    try:
        with translated():
            client = session.client("pricing", region_name="us-east-1", config=_CONFIG)
            pages = client.get_paginator("get_products").paginate(ServiceCode="AmazonSageMaker", Filters=filters)
            products = [json.loads(one) for page in pages for one in page["PriceList"]]
    except EndpointError as error:
        reason = "needs pricing:GetProducts" if isinstance(error, AccessDeniedError) else " ".join(str(error).split())
        return built_in, f"{source} (AWS Price List not checked: {reason})"
    found = {float(usd) for one in products for usd in jmespath.search(_USD, one) or ()}
    if len(found) == 1:
        return found.pop(), f"AWS Price List of {products[0]['publicationDate'][:10]}"
    return built_in, f"{source} (the AWS Price List has {len(found)} prices of {instance_type})"
