"""CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.providers.base import Context, Props, Provider
from sagehost.cloudformation.providers.calls import api, by, parameter, setting, tags
from sagehost.cloudformation.values import Json

LOG_GROUP = api(
    "logs",
    create="create_log_group",
    delete="delete_log_group",
    sends="LogGroupName KmsKeyId",
    name="LogGroupName",
    longest_name=512,
    identify=parameter("LogGroupName"),
    handle=by("logGroupName"),
    facets=(
        setting(
            "logs",
            "RetentionInDays",
            lambda logs, name, new: logs.put_retention_policy(
                logGroupName=name, retentionInDays=new["RetentionInDays"]
            ),
            lambda logs, name: logs.delete_retention_policy(logGroupName=name),
        ),
        setting(
            "logs",
            "KmsKeyId",
            lambda logs, name, new: logs.associate_kms_key(logGroupName=name, kmsKeyId=new["KmsKeyId"]),
            lambda logs, name: logs.disassociate_kms_key(logGroupName=name),
        ),
        tags(
            "logs",
            lambda context, name: {"resourceArn": context.arn("logs", f"log-group:{name}")},
            mapping=True,
        ),
    ),
    attributes={"Arn": lambda context, name, _: context.arn("logs", f"log-group:{name}:*")},
)


def _dimensions(_: Context, parameters: dict[str, Json]) -> dict[str, Json]:
    """The API takes the dimensions of a metric as a mapping, the resource as pairs."""
    transformations = [
        {**one, "Dimensions": {pair["Key"]: pair["Value"] for pair in one["Dimensions"]}}
        if "Dimensions" in one
        else one
        for one in parameters["MetricTransformations"]
    ]
    return {"FilterPattern": "", **parameters, "MetricTransformations": transformations}


def _filter(name: str, properties: Props) -> dict[str, Json]:
    return {"LogGroupName": properties["LogGroupName"], "FilterName": name}


METRIC_FILTER = api(
    "logs",
    create="put_metric_filter",
    update="put_metric_filter",
    delete="delete_metric_filter",
    sends="LogGroupName FilterName FilterPattern MetricTransformations",
    adapt=_dimensions,
    name="FilterName",
    within="LogGroupName",
    longest_name=512,
    identify=parameter("FilterName"),
    handle=_filter,
)

PROVIDERS: Mapping[str, Provider] = {"AWS::Logs::LogGroup": LOG_GROUP, "AWS::Logs::MetricFilter": METRIC_FILTER}
