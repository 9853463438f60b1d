"""What runs, against what the environment's file says: endpoint, settings, scaling, deployment, load.

What the caller may not read is noted by the action that it takes, and the rest is read.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError

from mistral7b import catalog
from mistral7b.endpoint.caller import clock
from mistral7b.environment import AutoScaling, Environment, Instance
from mistral7b.operate.calls import Client, ask, denied
from mistral7b.promotion.names import environment_stacks

_PERIOD_S = 300
_WINDOW = timedelta(minutes=15)
_TABLE: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("status.json").read_text(encoding="utf-8"))
_LOAD: dict[str, tuple[str, str, float]] = _TABLE["load"]
_IF_BOTH = ("instance.count", "detailed_observability", "network.existing_vpc.subnet_ids")
"""Fields that one side need not have."""


class _Answers(dict[str, Any]):
    """Answers of AWS by the name that the expressions above have for them; None where there is no such thing."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client, self.denied = client, dict[str, str]()

    def ask(self, name: str, action: str, path: str = "@", **arguments: Any) -> Any:
        """What is at the path (JMESPath) in an answer."""
        service, operation = action.split(":")
        call, self[name] = getattr(self._client(service), xform_name(operation)), None
        try:
            self[name] = jmespath.search(path, ask(call, "Could not find|does not exist", **arguments))
        except ClientError as error:
            if not denied(error):
                raise
            self.denied[name] = action
        return self[name]


def read_status(client: Client, env: Environment, now: datetime | None = None) -> dict[str, Any] | None:
    """The status, with times in UTC; None if nothing is deployed. `client` makes a boto3 client of a service.

    `ready`: whether the endpoint is InService as the file says, and no deployment is in progress or stuck; None if too
    much is denied to tell. `differences` are fields whose deployed value is not the file's, `not_checked` has the
    actions that the caller may not call. Raises ClientError.
    """
    name, found = env.resolved_endpoint_name, _Answers(client)
    stack = environment_stacks(env.name)[0]
    found.ask(
        "stack", "cloudformation:DescribeStacks", "Stacks[?StackStatus!='REVIEW_IN_PROGRESS'] | [0]", StackName=stack
    )
    if found["stack"] and found["stack"]["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        found.ask("events", "cloudformation:DescribeStackEvents", "StackEvents", StackName=stack)
        found["events"] = _telling(found["events"] or [])
    endpoint = found.ask("endpoint", "sagemaker:DescribeEndpoint", EndpointName=name)
    if endpoint is None and found["stack"] is None and "endpoint" not in found.denied:
        return None
    config: dict[str, Any] = {}
    if endpoint:
        named = {"EndpointConfigName": endpoint["EndpointConfigName"]}
        config = found.ask("config", "sagemaker:DescribeEndpointConfig", **named) or {}
    variants = config.get("ProductionVariants") or (endpoint or {}).get("ProductionVariants") or [{}]
    variant, model = variants[0].get("VariantName", "AllTraffic"), variants[0].get("ModelName")
    if model:
        found.ask("model", "sagemaker:DescribeModel", ModelName=model)
    scaled = {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{name}/variant/{variant}"}
    targets = {"ServiceNamespace": "sagemaker", "ResourceIds": [scaled["ResourceId"]]}
    service = "application-autoscaling"
    found.ask("target", f"{service}:DescribeScalableTargets", "ScalableTargets[0]", **targets)
    if found["target"] or "target" in found.denied:
        found.ask("policies", f"{service}:DescribeScalingPolicies", "ScalingPolicies", **scaled)
        found.ask("activities", f"{service}:DescribeScalingActivities", "ScalingActivities", **scaled, MaxResults=3)
    shown = {part: jmespath.search(path, found) for part, path in _TABLE["document"].items()}
    time, speed = clock()
    document: dict[str, Any] = {"endpoint": name, **shown, "model": _model(found, env)}
    document |= {
        "differences": list(_differences(found, env)) if endpoint else [],
        "load": _load(found, name, variant, now or time),
        "speed": speed,
        "not_checked": [*found.denied.values()],
    }
    settled = found["stack"] is None or found["stack"]["StackStatus"].endswith("_COMPLETE")
    in_service = "endpoint" in found.denied or document["status"] == "InService"
    known = found.denied.keys().isdisjoint({"endpoint", "config", "model", "target", "policies"})
    document["ready"] = (known or None) if in_service and settled and not document["differences"] else False
    return dict(json.loads(json.dumps(document, default=_utc)))


def as_deployed(env: Environment, document: dict[str, Any]) -> Environment:
    """The environment with the instances and the scaling that its status shows, for what it costs now."""
    if not document["variants"]:
        return env
    shown, count = document["scaling"], document["variants"][0]["desired"] or env.instance.count
    instance, scaling = Instance(type=document["instance_type"] or env.instance_type, count=count), None
    if shown:
        bounds = {"min_instances": shown["min"], "max_instances": shown["max"]}
        by_the_hour = _scheduled(env, [*bounds.values()])
        scaling = (env.auto_scaling or AutoScaling()).model_copy(update={} if by_the_hour else bounds)
    return env.model_copy(update={"instance": instance, "auto_scaling": scaling})


def _scheduled(env: Environment, bounds: list[int] | None) -> bool:
    """Whether the schedule of the file sets these bounds, fewest and most instances, at some time."""
    return (scaling := env.auto_scaling) is not None and bounds in [[*scaling.bounds_at(e)] for e in scaling.schedule]


def _telling(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first failures of the last operation, or else its last events. CloudFormation lists events newest first."""
    last = []
    for event in events:
        last.append(event)
        began = event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
        if began and event["PhysicalResourceId"] == event["StackId"]:
            break
    failures = [one for one in reversed(last) if one["ResourceStatus"].endswith("_FAILED")]
    return ([one for one in failures if "cancelled" not in one.get("ResourceStatusReason", "")] or last)[:3]


def _load(found: _Answers, endpoint: str, variant: str, now: datetime) -> list[dict[str, Any]]:
    """The figures of five minutes each, of those with requests: what is in flight is published at any time, as 0."""
    named = {"EndpointName": endpoint, "VariantName": variant}
    dimensions = [{"Name": key, "Value": value} for key, value in named.items()]
    queries = []
    for figure, (metric, statistic, _) in _LOAD.items():
        of = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
        queries.append({"Id": figure, "MetricStat": {"Metric": of, "Period": _PERIOD_S, "Stat": statistic}})
    first = (now - _WINDOW).timestamp() // _PERIOD_S * _PERIOD_S  # where a period begins: none is cut
    times = {"StartTime": datetime.fromtimestamp(first, UTC), "EndTime": now}
    results = found.ask("load", "cloudwatch:GetMetricData", "MetricDataResults", MetricDataQueries=queries, **times)
    periods = defaultdict[datetime, dict[str, float]](dict)
    for result in results or []:
        for time, value in zip(result["Timestamps"], result["Values"], strict=True):
            periods[time][result["Id"]] = value * _LOAD[result["Id"]][2]
    return [{"from": at, **dict.fromkeys(_LOAD), **one} for at, one in sorted(periods.items()) if any(one.values())]


def _model(found: _Answers, env: Environment) -> str | None:
    """The deployed model and version, or image and weights that the catalogue does not have."""
    path = "model.PrimaryContainer.[Image, ModelDataSource.S3DataSource.S3Uri || ModelDataUrl]"
    image, data = jmespath.search(path, found) or (None, None)
    for one in (env.version, *(version for model in catalog.models() for version in model.versions)):
        if env.region in one.regions and (one.image_uri(env.region), one.artifact_uri(env.region)) == (image, data):
            return f"{one.model} {one.version}"
    return f"{image} with {data}" if image else None


def _differences(found: _Answers, env: Environment) -> Iterator[dict[str, Any]]:
    file = env.model_dump(mode="json")
    file["instance"] = {"type": env.instance_type, "count": None if env.auto_scaling else env.instance.count}
    if _scheduled(env, bounds := jmespath.search("target.[MinCapacity, MaxCapacity]", found)):
        file["auto_scaling"] |= dict(zip(("min_instances", "max_instances"), bounds, strict=True))
    for name, path in _TABLE["fields"].items():
        if found.denied.keys().isdisjoint(re.findall(r"\b[a-z]\w*", path)):
            values = [jmespath.search(*of) for of in ((path, found), (name, file))]
            deployed, wanted = (sorted(value) if isinstance(value, list) else value for value in values)
            if deployed != wanted and not (name in _IF_BOTH and None in (deployed, wanted)):
                yield {"field": name, "deployed": deployed, "file": wanted}
    if container := jmespath.search("model.PrimaryContainer", found):
        deployed, wanted = _model(found, env), env.runs
        if deployed != wanted:
            yield {"field": "model, model_version", "deployed": deployed, "file": wanted}
        variables, wanted = container.get("Environment", {}), env.container_environment()
        for name in wanted | variables:
            if variables.get(name) != wanted.get(name):
                yield {"field": f"tgi.{name}", "deployed": variables.get(name), "file": wanted.get(name)}


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
