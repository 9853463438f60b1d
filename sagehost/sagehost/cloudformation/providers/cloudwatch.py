"""CloudWatch: dashboards."""

from sagehost.cloudformation.providers.provider import Provider, Resource
from sagehost.cloudformation.values import Json


class Dashboard(Provider):
    """A dashboard."""

    def tag_handle(self, resource: Resource, parameter: str) -> dict[str, Json]:
        """Its ARN, which is no attribute, and without a region."""
        return {parameter: resource.text("arn:{partition}:cloudwatch::{account}:dashboard/{id}", {})}
