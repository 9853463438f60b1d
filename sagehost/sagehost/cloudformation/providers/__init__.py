"""Resource providers: what CloudFormation can create here, by `types.yaml`, with the code that it names in one module a
service.

A type that the file does not list, or a property that its provider does not carry, fails the deployment by name. moto's
own CloudFormation models are not used: they drop what they do not know without a word, and many cannot delete.
"""

import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sagehost.cloudformation.providers.provider import Provider, Setting, described, items, setting, switch


class _Loader(yaml.CSafeLoader):
    """YAML with `!our MODULE:NAME`: what a module of this package has under a name."""


_Loader.add_constructor("!our", lambda _, node: pkgutil.resolve_name(f"{__name__}.{node.value}"))


def _setting(names: str, row: Any) -> Setting:
    """The setting of one or several properties; without a row it calls nothing."""
    row = row if isinstance(row, dict) else {"apply": row or (lambda *_: None)}
    if "apply" in row:
        return Setting(frozenset(names.split()), **row)
    kind = setting if "put" in row else switch if "enable" in row else items
    return kind(names, **row)


def _provider(resource_type: str, row: dict[str, Any]) -> Provider:
    settings = [_setting(*one) for one in row.pop("settings", {}).items()]
    row["attributes"] = {name: _attribute(one) for name, one in row.pop("attributes", {}).items()}
    row["tagged_by"] = _attribute(row.pop("tagged_by", ""))
    made: Provider = row.pop("class", Provider)(resource_type, settings=settings, **row)
    return made


def _attribute(row: Any) -> Any:
    return described(**row) if isinstance(row, dict) else row


PROVIDERS: Mapping[str, Provider] = {
    resource_type: _provider(resource_type, dict(row))
    for resource_type, row in yaml.load(Path(__file__).with_name("types.yaml").read_text("utf-8"), _Loader).items()
}
"""Resource type -> its provider."""
