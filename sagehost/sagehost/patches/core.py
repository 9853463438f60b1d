"""All services: what the text of a request may cost."""

import io
import zlib
from collections.abc import Callable
from typing import Any

from moto.core.request import Request
from moto.core.responses import BaseResponse

from sagehost.aws_errors import UnreadableRequest
from sagehost.patches import correction

MOST_BYTES = 16_000_000
"""Of a request that was sent compressed. CloudWatch, to which SDKs compress, takes a megabyte."""


@correction.replaces(BaseResponse, "setup_class")
def _setup_class(original: Callable[..., None], self: BaseResponse, *args: Any, **given: Any) -> None:
    """moto ends in an exception where AWS refuses what it cannot read, such as a list in place of an object."""
    try:
        original(self, *args, **given)
    except (AttributeError, TypeError, ValueError, zlib.error) as error:
        raise UnreadableRequest(str(error)) from error


@correction.replaces(BaseResponse, "decompress_request_body")
def _decompress(_: Callable[..., None], self: BaseResponse, request: Request) -> None:
    """moto decompresses a megabyte to a gigabyte."""
    if request.content_encoding == "gzip" and self.allow_request_decompression:
        content = zlib.decompressobj(wbits=31).decompress(request.stream.read(), MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UnreadableRequest(f"it has more than {MOST_BYTES} bytes when decompressed")
        request.stream = io.BytesIO(content)
        request.get_data(parse_form_data=True)
