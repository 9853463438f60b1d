"""Resource providers: what CloudFormation can create here, in one module a service.

A type that no module lists, or a property that its provider does not carry, fails the deployment by name. moto's own
CloudFormation models are not used: they drop what they do not know without a word, and many cannot delete.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from sagehost.cloudformation.providers.provider import Provider

PROVIDERS: Mapping[str, Provider] = {
    provider.type: provider
    for module in pkgutil.iter_modules(__path__, f"{__name__}.")
    for provider in getattr(import_module(module.name), "PROVIDERS", ())
}
"""Resource type -> its provider."""
