"""CloudWatch Logs."""

from sagehost.cloudformation.providers.provider import Provider, setting

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
    Provider(
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
