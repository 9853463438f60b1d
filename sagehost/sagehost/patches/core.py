"""All services: compressed requests."""

import io
import zlib
from collections.abc import Callable

from moto.core.request import Request
from moto.core.responses import BaseResponse

from sagehost.patches import correction

MOST_BYTES = 16_000_000
"""Of a request when it is decompressed. CloudWatch, for which SDKs compress, takes a megabyte."""


@correction.replaces(BaseResponse, "decompress_request_body")
def _decompress(_: Callable[..., None], self: BaseResponse, request: Request) -> None:
    """moto decompresses a megabyte to a gigabyte."""
    if request.content_encoding == "gzip" and self.allow_request_decompression:
        content = zlib.decompressobj(wbits=31).decompress(request.stream.read(), MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise NotImplementedError(f"a request of more than {MOST_BYTES} bytes when decompressed")
        request.stream = io.BytesIO(content)
        request.get_data(parse_form_data=True)
