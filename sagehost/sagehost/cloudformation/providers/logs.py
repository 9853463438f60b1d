"""CloudWatch Logs."""

from sagehost.cloudformation.providers.provider import Props, Provider, Resource
from sagehost.cloudformation.values import Json


class MetricFilter(Provider):
    """A filter that counts log events."""

    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """The API takes the dimensions of a metric as a mapping, the resource as pairs."""
        transformations = [
            {**one, **({"Dimensions": {pair["Key"]: pair["Value"] for pair in pairs}} if pairs else {})}
            for one in properties["MetricTransformations"]
            for pairs in [one.get("Dimensions")]
        ]
        return {**super().parameters(resource, properties), "MetricTransformations": transformations}
