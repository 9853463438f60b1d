"""Draws the dashboard of an environment for docs/images: from requests to an endpoint on the embedded AWS.

    .venv/bin/python tools/draw_dashboard.py docs/images/dashboard.png

It deploys an environment with alarms and dashboard, sends half an hour of requests in a minute and a half, and draws
the widgets that `GetDashboard` answers from what the callers and the container's log saw. Answers take some 33 ms a
token, and more beside others: a rough pace, for a picture. Nothing measures a GPU here, so that widget stays empty.
"""

import asyncio
import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import numpy
import uvicorn
from aws_cdk.assertions import Template
from botocore.config import Config
from botocore.exceptions import ClientError
from cycler import cycler
from matplotlib import pyplot

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), *(str(ROOT / room) for room in ("stacks", "constructs", "sagehost", "scaling_rules"))]

from mistral7b.capacity.request import Request  # noqa: E402
from mistral7b.container import start  # noqa: E402
from mistral7b.environment import Environment  # noqa: E402
from mistral7b_stacks.stage import EnvironmentStage  # noqa: E402
from sagehost import hosting  # noqa: E402
from sagehost.accounts import access_key_id  # noqa: E402
from sagehost.hosting.settings import HostingSettings  # noqa: E402
from sagehost.server import create_app, listen  # noqa: E402
from sagemaker_tgi.metrics import REFUSAL_LINE  # noqa: E402
from tests.variants import new_app  # noqa: E402

ACCOUNT, REGION, SECRET, SPEED, MINUTES = "111122223333", "us-east-1", "drawn", 20, 30
ENVIRONMENT = {
    "name": "prod",
    "account": ACCOUNT,
    "region": REGION,
    "tgi": {"MAX_CONCURRENT_REQUESTS": 8},
    "auto_scaling": {"min_instances": 1, "max_instances": 2, "target_concurrent_requests": 6},
    "alarms": {"latency": 4.5},
    "dashboard": True,
}
COLORS = ["#0072B2", "#E69F00", "#009E73", "#D55E00"]
"""Colours of Okabe and Ito, which readers who see no red and green can tell apart."""
Sample = tuple[float, float, int]
"""When a request was sent and how long its answer took, in seconds of AWS's time, and its status."""


class Pace:
    """Tokens as slow as those of one A10G: some 33 ms each, and 1 ms more for each request that runs beside it."""

    def __init__(self) -> None:
        self._running = 0

    async def __call__(self, request: Request, stream: bool) -> AsyncGenerator[int, None]:
        """Yields for every token, and sleeps for twenty at a time: shorter sleeps are not exact."""
        del stream
        self._running += 1
        try:
            for token in range(request.output_tokens):
                if token % 20 == 0:
                    await asyncio.sleep(20 * (0.033 + 0.001 * self._running) / SPEED)
                yield token + 1
        finally:
            self._running -= 1


def client(service: str, url: str) -> Any:
    """A client of the embedded AWS."""
    session = boto3.Session(access_key_id(ACCOUNT), SECRET, region_name=REGION)
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=100)
    return session.client(service, endpoint_url=url, config=config)


def requests(runtime: Any, sagemaker: Any, endpoint: str) -> tuple[list[Sample], list[int]]:
    """Half an hour of requests, and the instances at the end of each minute.

    A second instance comes after ten minutes of more than one can answer.
    """
    body = json.dumps({"inputs": "Hello", "parameters": {"max_new_tokens": 200}})
    samples: list[Sample] = []
    instances: list[int] = []
    begin = time.monotonic()

    def ask() -> None:
        sent, status = time.monotonic(), 200
        try:
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=body)
        except ClientError as error:
            status = error.response.get("OriginalStatusCode", 500)
        samples.append(((sent - begin) * SPEED, (time.monotonic() - sent) * SPEED, status))

    random = numpy.random.default_rng(7)
    scaled, now = False, 0.0
    with ThreadPoolExecutor(60) as pool:
        while now < MINUTES * 60:
            rate = 0.4 if now < 480 or now > 1500 else 1.5
            now += random.exponential(1 / rate)
            time.sleep(max(0.0, begin + now / SPEED - time.monotonic()))
            pool.submit(ask)
            if len(instances) < now // 60:
                [variant] = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
                instances += [variant["CurrentInstanceCount"]] * (int(now // 60) - len(instances))
            if now > 1080 and not scaled:
                scaled = True
                more = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
                sagemaker.update_endpoint_weights_and_capacities(
                    EndpointName=endpoint, DesiredWeightsAndCapacities=more
                )
    return samples, instances


def series(metric: list[Any], samples: list[Sample], instances: list[int], hidden: dict[str, Any]) -> tuple[Any, Any]:
    """Minutes and values of a line of a widget; empty for what nothing here measures."""
    options = metric[-1]
    named = hidden.get(options.get("expression", "").split(" ")[0], metric)
    name, statistic = named[1], named[-1].get("stat", "Average")
    minutes = numpy.arange(MINUTES)
    by_minute = [[one for one in samples if int(one[0] // 60) == minute] for minute in minutes]
    counts = {
        "Invocations": lambda status: status > 0,
        "Invocation4XXErrors": lambda status: 400 <= status < 500,
        "Invocation5XXErrors": lambda status: status >= 500,
        "InvocationModelErrors": lambda status: status >= 300,
        "RefusedRequests": lambda status: status == 429,
    }
    if name in counts:
        return minutes, [sum(counts[name](one[2]) for one in found) for found in by_minute]
    if name == "ModelLatency":
        answered = [[one[1] for one in found if one[2] == 200] or [numpy.nan] for found in by_minute]
        return minutes, [numpy.percentile(found, float(statistic[1:])) for found in answered]
    if name == "ConcurrentRequestsPerModel":
        times = numpy.arange(0, MINUTES, 1 / 6)
        running = [sum(a <= t * 60 < a + took for a, took, status in samples if status == 200) for t in times]
        return times, [one / instances[int(t)] for one, t in zip(running, times, strict=True)]
    if name == "CPUUtilization":
        return minutes, instances
    return [], []


def draw(
    body: dict[str, Any], samples: list[Sample], instances: list[int], alarms: list[Any], events: list[Any]
) -> Any:
    """The dashboard, on its own grid."""
    height = max(one["y"] + one["height"] for one in body["widgets"])
    pyplot.rcParams["axes.prop_cycle"] = cycler(color=COLORS)
    pyplot.rcParams["font.size"] = 9
    figure = pyplot.figure(figsize=(10, height * 0.4))
    for widget in body["widgets"]:
        x, y, properties = widget["x"], widget["y"], widget["properties"]
        place = (x / 24 + 0.06, 1 - (y + widget["height"] - 1.4) / height, widget["width"] / 24 - 0.075)
        axes = figure.add_axes((*place, (widget["height"] - 2.1) / height))
        axes.set_title(properties["title"], loc="left", fontsize=11, fontweight="bold")
        if widget["type"] == "metric":
            hidden = {one[-1]["id"]: one for one in properties["metrics"] if "id" in one[-1]}
            shown = [one for one in properties["metrics"] if one[-1].get("visible", True)]
            empty, widths = True, iter(range(2 * len(shown) - 1, 0, -2))  # lines on each other can be told apart
            for metric in shown:
                times, values = series(metric, samples, instances, hidden)
                empty = empty and not len(times)
                axes.plot(times, values, label=metric[-1]["label"], linewidth=next(widths))
            for line in properties.get("annotations", {}).get("horizontal", []):
                axes.axhline(line["value"], color="0.35", linestyle="--", linewidth=1)
                axes.text(
                    MINUTES * 0.99, line["value"], line["label"], ha="right", va="bottom", fontsize=9, color="0.25"
                )
            axes.set(
                xlim=(0, MINUTES),
                ylabel=properties["yAxis"]["left"]["label"],
                xlabel="minutes",
                xticks=range(0, MINUTES + 1, 5),
            )
            axes.set_ylim(0, 100 if empty else axes.get_ylim()[1] * 1.25)
            if empty:
                axes.text(0.5, 0.5, "the embedded AWS has no GPU", transform=axes.transAxes, ha="center", color="0.4")
            axes.legend(loc="upper left", fontsize=9, ncols=4, frameon=False)
        else:
            axes.axis("off")
            if widget["type"] == "alarm":
                for number, one in enumerate(one for one in alarms if one["AlarmArn"] in properties["alarms"]):
                    text = f"{one['StateValue']}: {one['AlarmName'].removeprefix('mistral-7b-instruct-prod-')}"
                    axes.text((number % 3) / 3, 0.7 - 0.8 * (number // 3), text, fontsize=9)
            elif "stats count" in properties["query"]:
                refusals = Counter(one["logStreamName"] for one in events if REFUSAL_LINE in one["message"])
                lines = [
                    "refused   @logStream",
                    *(f"{count:7}   {name[:44]}" for name, count in refusals.most_common()),
                ]
                axes.text(0, 0.9, "\n".join(lines), family="monospace", fontsize=9, va="top")
            else:
                wrong = [one["message"] for one in events if re.search("ERROR|Error:|panicked", one["message"])]
                lines = [one[:70] for one in wrong if REFUSAL_LINE not in one][-20:]
                axes.text(0, 0.9, "\n".join(lines) or "no such lines", fontsize=9, va="top", color="0.4")
    return figure


def main(file: Path) -> None:
    """Deploys, sends the requests and draws."""
    containers = {"huggingface-pytorch-tgi-inference": lambda: lambda launch: start(launch, pace=Pace())}
    hosting.install(HostingSettings(endpoint_seconds=0.1), containers=containers)
    sockets = listen(0)
    server = uvicorn.Server(uvicorn.Config(create_app(SECRET), log_level="warning"))
    threading.Thread(target=server.run, args=(sockets,), daemon=True).start()
    url = f"http://localhost:{sockets[0].getsockname()[1]}"
    env = Environment.model_validate(ENVIRONMENT)
    stage = EnvironmentStage(new_app(), environment=env)
    [stack] = [one for one in stage.node.children if isinstance(one, cdk.Stack)]
    whole = Template.from_stack(stack).to_json()
    template = {name: part for name, part in whole.items() if name not in {"Parameters", "Rules"}}  # the bootstrap's
    cfn, logs, cloudwatch = (client(one, url) for one in ("cloudformation", "logs", "cloudwatch"))
    cfn.create_stack(StackName="drawn", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
    status = ""
    while not status.endswith("_COMPLETE"):
        time.sleep(1)
        status = cfn.describe_stacks(StackName="drawn")["Stacks"][0]["StackStatus"]
    if status != "CREATE_COMPLETE":
        events = cfn.describe_stack_events(StackName="drawn")["StackEvents"]
        sys.exit("\n".join(one.get("ResourceStatusReason", "") for one in events if "FAILED" in one["ResourceStatus"]))
    samples, instances = requests(
        client("sagemaker-runtime", url), client("sagemaker", url), env.resolved_endpoint_name
    )
    group = f"/aws/sagemaker/Endpoints/{env.resolved_endpoint_name}"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    events = [one for page in pages for one in page["events"]]
    body = json.loads(cloudwatch.get_dashboard(DashboardName=env.resolved_endpoint_name)["DashboardBody"])
    figure = draw(body, samples, instances, cloudwatch.describe_alarms()["MetricAlarms"], events)
    figure.savefig(file, dpi=130)  # 9 points are 10 pixels or more at the 838 of a README
    server.should_exit = True
    sys.stdout.write(f"{file}: {len(samples)} requests, {len(events)} lines in the log\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
