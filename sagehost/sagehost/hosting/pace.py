"""When the tokens of an answer come: the seam for a model of how the container batches."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol


class Pace(Protocol):
    """Decides when each token of each request is there. One pace serves all requests of one container."""

    def __call__(self, prompt_tokens: int, max_new_tokens: int) -> AsyncGenerator[None, None]:
        """Yield once for every token of a request, when that token is generated.

        The caller stops early at the end of the answer or when the client has gone; closing the iterator then ends
        the request's part in the running batch.
        """
        ...


async def at_once(prompt_tokens: int, max_new_tokens: int) -> AsyncGenerator[None, None]:
    """The pace of no model: every token is there at once; requests take turns."""
    del prompt_tokens
    for _ in range(max_new_tokens):
        await asyncio.sleep(0)
        yield
