"""Draws the dashboard of an environment for docs/images: from the metrics of an endpoint on the embedded AWS.

    .venv/bin/python tools/draw_dashboard.py docs/images/dashboard.png

It deploys an environment with alarms, scaling and dashboard, and sends 45 minutes of requests in two and a quarter. It
draws the widgets that `GetDashboard` returns: metrics from `GetMetricData`, states from `DescribeAlarms`, lines of the
log. The embedded AWS publishes no GPU memory. Draw it on a machine that does nothing else.
"""

import json
import math
import os
import random
import re
import sys
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
from aws_cdk.assertions import Template
from botocore.config import Config
from botocore.exceptions import ClientError
from cycler import cycler
from matplotlib import pyplot

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), *(str(ROOT / room) for room in ("stacks", "constructs", "sagehost", "scaling_rules"))]

from mistral7b.environment import Environment  # noqa: E402
from mistral7b_stacks.stage import EnvironmentStage  # noqa: E402
from sagehost.lifecycle import running_server  # noqa: E402
from sagehost.server import HEALTH_PATH  # noqa: E402
from sagemaker_tgi.metrics import REFUSAL_LINE  # noqa: E402
from tests.variants import new_app  # noqa: E402

ACCOUNT, REGION, SPEED, MINUTES, BUSY = "111122223333", "us-east-1", 20, 45, range(8, 24)
"""BUSY: the minutes in which callers send more than one instance answers."""
RARE, OFTEN = 0.4, 1.6
"""Requests a second, in other minutes and in those."""
ENVIRONMENT = {
    "name": "prod",
    "account": ACCOUNT,
    "region": REGION,
    "tgi": {"MAX_CONCURRENT_REQUESTS": 8},
    "auto_scaling": {"min_instances": 1, "max_instances": 2, "target_concurrent_requests": 6},
    "alarms": {"latency": 9},
    "dashboard": True,
}
COLORS = ["#0072B2", "#E69F00", "#009E73", "#D55E00"]
"""Colours of Okabe and Ito, which readers who see no red and green can tell apart."""


def deploy(cloudformation: Any, env: Environment) -> None:
    """Deploys the environment's stack, and ends the process if that fails."""
    stage = EnvironmentStage(new_app(), environment=env)
    [stack] = [one for one in stage.node.children if isinstance(one, cdk.Stack)]
    whole = Template.from_stack(stack).to_json()
    template = {name: part for name, part in whole.items() if name not in {"Parameters", "Rules"}}  # the bootstrap's
    named = {"StackName": "drawn", "TemplateBody": json.dumps(template)}
    cloudformation.create_stack(**named, Capabilities=["CAPABILITY_NAMED_IAM"])
    status = ""
    while not status.endswith("_COMPLETE"):
        time.sleep(1)
        status = cloudformation.describe_stacks(StackName="drawn")["Stacks"][0]["StackStatus"]
    if status != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName="drawn")["StackEvents"]
        sys.exit("\n".join(one.get("ResourceStatusReason", "") for one in events if "FAILED" in one["ResourceStatus"]))


def send(runtime: Any, endpoint: str) -> None:
    """Sends the requests, each without waiting for those before. The dashboard shows those that are refused."""
    body = json.dumps({"inputs": "Hello", "parameters": {"max_new_tokens": 200}})

    def ask() -> None:
        with suppress(ClientError):
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=body)

    arrivals, begin, minute = random.Random(7), time.monotonic(), 0.0
    with ThreadPoolExecutor(100) as pool:
        while minute < MINUTES:
            minute += arrivals.expovariate(60 * (OFTEN if int(minute) in BUSY else RARE))
            time.sleep(max(0.0, begin + 60 * minute / SPEED - time.monotonic()))
            pool.submit(ask)


def queries(metrics: list[Any]) -> list[dict[str, Any]]:
    """The lines of a widget, as `GetMetricData` asks for them."""
    found = []
    for number, metric in enumerate(metrics):
        options = metric[-1]
        query = {"Id": options.get("id", f"line{number}"), "ReturnData": options.get("visible", True)}
        if "label" in options:
            query["Label"] = options["label"]
        if "expression" in options:
            query |= {"Expression": options["expression"], "Period": options["period"]}
        else:
            namespace, name, *pairs = metric[:-1]
            dimensions = [{"Name": a, "Value": b} for a, b in zip(pairs[::2], pairs[1::2], strict=True)]
            of = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
            stat = options.get("stat", "Average")
            query["MetricStat"] = {"Metric": of, "Period": options["period"], "Stat": stat}
        found.append(query)
    return found


def plot(axes: Any, cloudwatch: Any, properties: dict[str, Any], begin: datetime, end: datetime) -> None:
    """One widget of metrics."""
    asked = queries(properties["metrics"])
    results = cloudwatch.get_metric_data(
        MetricDataQueries=asked, StartTime=begin, EndTime=end, ScanBy="TimestampAscending"
    )["MetricDataResults"]
    for number, line in enumerate(results):
        found = {
            (at - begin).total_seconds(): value for at, value in zip(line["Timestamps"], line["Values"], strict=True)
        }
        times = range(0, 60 * MINUTES, properties["metrics"][0][-1]["period"])
        values = [found.get(at, math.nan) for at in times]  # a gap where there is no value
        width = 2 * (len(results) - number) - 1  # lines on each other can be told apart
        style = {"linewidth": width, "marker": "o", "markersize": width}  # a value between gaps is a point
        axes.plot([at / 60 for at in times], values, label=line["Label"], **style)
    for line in properties.get("annotations", {}).get("horizontal", []):
        axes.axhline(line["value"], color="0.35", linestyle="--", linewidth=1)
        axes.text(MINUTES * 0.99, line["value"], line["label"], ha="right", va="bottom", color="0.25")
    empty = not any(line["Values"] for line in results)
    label = properties["yAxis"]["left"]["label"]
    axes.set(xlim=(0, MINUTES), ylabel=label, xlabel="minutes", xticks=range(0, MINUTES + 1, 5))
    axes.set_ylim(0, 100 if empty else axes.get_ylim()[1] * 1.25)
    if empty:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="0.4")
    axes.legend(loc="upper left", ncols=4, frameon=False)


def lines_of(query: str, events: list[Any]) -> str:
    """What a widget of the log shows."""
    refusals = Counter(one["logStreamName"] for one in events if REFUSAL_LINE in one["message"])
    if "stats count" in query:
        counts = (f"{count:7}   {name[:44]}" for name, count in refusals.most_common())
        return "\n".join(["refused   @logStream", *counts])
    wrong = [one["message"] for one in events if re.search("ERROR|Error:|panicked", one["message"])]
    return "\n".join([one[:70] for one in wrong if REFUSAL_LINE not in one][-20:]) or "no such lines"


def draw(body: dict[str, Any], cloudwatch: Any, events: list[Any], begin: datetime, end: datetime) -> Any:
    """The dashboard, on its own grid."""
    pyplot.rcParams.update({"axes.prop_cycle": cycler(color=COLORS), "font.size": 9})
    height = max(one["y"] + one["height"] for one in body["widgets"])
    figure = pyplot.figure(figsize=(10, height * 0.4))
    for widget in body["widgets"]:
        x, y, properties = widget["x"], widget["y"], widget["properties"]
        place = (x / 24 + 0.06, 1 - (y + widget["height"] - 1.4) / height, widget["width"] / 24 - 0.075)
        axes = figure.add_axes((*place, (widget["height"] - 2.1) / height))
        axes.set_title(properties["title"], loc="left", fontsize=11, fontweight="bold")
        if widget["type"] == "metric":
            plot(axes, cloudwatch, properties, begin, end)
            continue
        axes.axis("off")
        if widget["type"] == "alarm":
            alarms = [
                one for one in cloudwatch.describe_alarms()["MetricAlarms"] if one["AlarmArn"] in properties["alarms"]
            ]
            for number, one in enumerate(alarms):
                text = f"{one['StateValue']}: {one['AlarmName'].removeprefix('mistral-7b-instruct-prod-')}"
                color = COLORS[3] if one["StateValue"] == "ALARM" else "0.25"
                axes.text((number % 3) / 3, 0.7 - 0.8 * (number // 3), text, color=color)
        else:
            axes.text(0, 0.9, lines_of(properties["query"], events), family="monospace", va="top")
    return figure


def main(file: Path) -> None:
    """Deploys, sends the requests and draws."""
    os.environ["SAGEHOST_ENDPOINT_SECONDS"] = "300"  # an instance takes five minutes
    env = Environment.model_validate(ENVIRONMENT)
    with running_server(speed=str(SPEED)) as server:
        os.environ.update(server.settings(ACCOUNT, REGION))
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=100)
        services = ("cloudformation", "sagemaker-runtime", "cloudwatch", "logs")
        cloudformation, runtime, cloudwatch, logs = (boto3.client(one, config=config) for one in services)

        def now() -> datetime:
            with urllib.request.urlopen(f"{server.url}{HEALTH_PATH}") as health:
                return datetime.fromisoformat(json.load(health)["now"])

        deploy(cloudformation, env)
        begin = now().replace(second=0, microsecond=0) + timedelta(minutes=1)
        time.sleep((begin - now()).total_seconds() / SPEED)
        send(runtime, env.resolved_endpoint_name)
        group = f"/aws/sagemaker/Endpoints/{env.resolved_endpoint_name}"
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [one for page in pages for one in page["events"]]
        body = json.loads(cloudwatch.get_dashboard(DashboardName=env.resolved_endpoint_name)["DashboardBody"])
        figure = draw(body, cloudwatch, events, begin, begin + timedelta(minutes=MINUTES))
    figure.savefig(file, dpi=130)  # 9 points are 10 pixels or more at the 838 of a README
    sys.stdout.write(f"{file}: {file.stat().st_size} bytes, {len(events)} lines in the log\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
