"""Calls of AWS: of what may not be there, in pages, and by callers who may not make them."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

Client = Callable[[str], Any]
"""Makes a boto3 client of a service, in one account and region."""
NOT_IN_SAGEMAKER = "ValidationException"
"""SageMaker's code of an error where there is no such thing."""
_DENIED = re.compile("Denied|Unauthorized|AuthorizationError")


def ask(call: Callable[..., Any], absent: str, **arguments: Any) -> Any:
    """What AWS answers; None where its error, by this code or words (a pattern), is that there is no such thing.

    Raises ClientError.
    """
    try:
        return call(**arguments)
    except ClientError as error:
        if not re.search(absent, str(error)):
            raise
        return None


def each(client: Any, operation: str, path: str, **arguments: Any) -> Iterator[Any]:
    """What is at the path (JMESPath) of every page of a list. Raises ClientError."""
    found = client.get_paginator(operation).paginate(**arguments).search(path)
    return (one for one in found if one is not None)  # of a page that has no such member


def denied(error: Exception) -> bool:
    """Whether AWS denies access, as it also does where a role to be assumed does not exist."""
    return isinstance(error, ClientError) and _DENIED.search(error.response["Error"]["Code"]) is not None


def needed(error: ClientError, actions: Iterable[str] = ()) -> str:
    """What a denied call takes: the action that AWS names, or else that of these which is called as the operation."""
    if named := re.search(r"perform: (\S+)", str(error)):
        return named[1]
    same = (one for one in actions if one.endswith(f":{error.operation_name}"))
    return next(same, ", ".join(actions) or error.operation_name)


def variants(sagemaker: Any, endpoint: str) -> list[tuple[str, str, int]]:
    """Name, instance type and number of instances of an endpoint's variants; none if there is no such endpoint."""
    found, config = ask(sagemaker.describe_endpoint, NOT_IN_SAGEMAKER, EndpointName=endpoint) or {}, None
    if found:
        named = {"EndpointConfigName": found["EndpointConfigName"]}
        config = ask(sagemaker.describe_endpoint_config, NOT_IN_SAGEMAKER, **named)
    shown = {one["VariantName"]: one for one in found.get("ProductionVariants", ())}
    counts = {one: max(shown[one].get(f"{of}InstanceCount", 0) for of in ("Current", "Desired")) for one in shown}
    typed = [one for one in (config or {}).get("ProductionVariants", ()) if "InstanceType" in one]
    return [(one["VariantName"], one["InstanceType"], counts.get(one["VariantName"], 0)) for one in typed]
