"""Ids that a request chooses by the tag `_custom_id_`, in place of those that moto draws.

A file that names a VPC or a key can be deployed only where they have these very ids. The tag is moto's own convention
(moto/utilities/id_generator.py), which EC2 and KMS of moto 5.2.5 do not follow.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Container
from typing import Any

from moto.utilities.id_generator import TAG_KEY_CUSTOM_ID


def chosen_by_tag(
    generator: str, pattern: str, present: Callable[[Any], Container[str]], refusal: Callable[[str], Exception]
) -> Callable[..., Any]:
    """A correction of a back end's method that creates a resource.

    Args:
        generator: name, in the method's module, of the function that draws the id.
        pattern: what an id looks like.
        present: the ids that a back end has already.
        refusal: makes the service's error for an id that is wrong or taken.
    """

    def create(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        module = sys.modules[original.__module__]
        given = inspect.signature(original).bind(self, *args, **kwargs)
        chosen, given.arguments["tags"] = _removed(given.arguments.get("tags"))
        if chosen is None:
            return original(*given.args, **given.kwargs)
        if not re.fullmatch(pattern, chosen) or chosen in present(self):
            raise refusal(f"The id '{chosen}' of the tag {TAG_KEY_CUSTOM_ID} is malformed or taken")
        draw = getattr(module, generator)
        setattr(module, generator, lambda *_: chosen)  # no other request runs meanwhile: `moto_app.STATE`
        try:
            return original(*given.args, **given.kwargs)
        finally:
            setattr(module, generator, draw)

    return create


def _removed(tags: Any) -> tuple[str | None, Any]:
    """The chosen id, and the tags without it: moto has a subnet's by resource type, others listed."""
    if isinstance(tags, dict):
        of_type = {kind: dict(values) for kind, values in tags.items()}
        found = [values.pop(TAG_KEY_CUSTOM_ID) for values in of_type.values() if TAG_KEY_CUSTOM_ID in values]
        return (found[0] if found else None), of_type
    ours = [tag for tag in tags or [] if TAG_KEY_CUSTOM_ID in (tag.get("Key"), tag.get("TagKey"))]
    chosen = ours[0].get("Value", ours[0].get("TagValue", "")) if ours else None
    return chosen, [tag for tag in tags if tag not in ours] if tags else tags
