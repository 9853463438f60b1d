"""CloudWatch Logs."""

from sagehost.cloudformation.providers.provider import Props, Provider, Resource, setting
from sagehost.cloudformation.values import Json


class _MetricFilter(Provider):
    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """The API takes the dimensions of a metric as a mapping, the resource as pairs."""
        transformations = [
            {**one, **({"Dimensions": {pair["Key"]: pair["Value"] for pair in pairs}} if pairs else {})}
            for one in properties["MetricTransformations"]
            for pairs in [one.get("Dimensions")]
        ]
        return {**super().parameters(resource, properties), "MetricTransformations": transformations}


PROVIDERS = (
    Provider(
        "AWS::Logs::LogGroup",
        find_with="describe_log_streams",
        sends="LogGroupName KmsKeyId",
        name="LogGroupName",
        settings=(
            setting("RetentionInDays", "put_retention_policy"),
            setting("KmsKeyId", "associate_kms_key"),
        ),
        attributes={"Arn": "arn:{partition}:logs:{region}:{account}:log-group:{id}:*"},
        longest_name=512,
    ),
    _MetricFilter(
        "AWS::Logs::MetricFilter",
        put_with="put_metric_filter",
        sends="LogGroupName FilterName FilterPattern MetricTransformations",
        defaults={"FilterPattern": ""},
        handle="FilterName LogGroupName",
        name="FilterName",
        within="LogGroupName",
        longest_name=512,
    ),
)
