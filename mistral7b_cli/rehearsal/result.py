"""What came of a rehearsal: for scripts, and as tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from mistral7b.operate.calls import NOT_IN_SAGEMAKER, ask
from mistral7b.operate.place import Place
from mistral7b.promotion import PromotedEnvironment
from mistral7b.tgi import parse_environment
from mistral7b_cli.layout import Table
from mistral7b_cli.rehearsal.cloud import Cloud
from mistral7b_cli.rehearsal.execution import NOT_STARTED, OTHER_SIGN, SIGNS, SUCCEEDED, Action, Execution, Stage
from mistral7b_cli.rehearsal.repository import Clone

NOTHING = "none"
"""Status of an endpoint that does not exist."""

# What of a container's settings is worth a column, the launcher's defaults included: the rest is in the JSON document.
_SHOWN = ("MAX_CONCURRENT_REQUESTS", "MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS")
_COMMIT_LETTERS = 10


@dataclass
class Result:
    """What came of one commit."""

    place: Place
    commit: Clone
    execution: Execution
    environments: list[dict[str, Any]]
    """What each runs: see `deployed`."""
    stop: dict[str, Any] | None = field(init=False)
    """Where the promotion stopped, why, and the end of what was printed there; None if it did not."""

    def __post_init__(self) -> None:
        """Reads the log now: it goes with the rehearsal."""
        # without a failure, an update that starts nothing has cancelled it
        at = self.execution.failed or Action("", "", reason=f"the execution is {self.execution.status}")
        stop = {"stage": at.stage, "action": at.name, "reason": at.reason, "log": at.tail()}
        self.stop = None if self.promoted else stop

    @property
    def promoted(self) -> bool:
        """Whether every stage succeeded."""
        return self.execution.status == SUCCEEDED

    @property
    def title(self) -> str:
        """The commit, as one reads it."""
        return f"{self.commit.commit[:_COMMIT_LETTERS]} {self.commit.subject}"

    @property
    def stopped(self) -> str:
        """Where it stopped and why; empty if it did not."""
        if (stop := self.stop) is None:
            return ""
        where = " / ".join(filter(None, (stop["stage"], stop["action"])))
        return f"stopped at {where}: {stop['reason'] or 'it gave no reason'}"

    def document(self) -> dict[str, Any]:
        """All of it, for scripts."""
        return {
            "commit": self.commit.commit,
            "promoted": self.promoted,
            "pipeline": self.execution.pipeline,
            "execution": self.execution.id,
            "status": self.execution.status,
            "stopped_by": self.stop,
            "stages": [
                {
                    **_outcome(stage),
                    "actions": [
                        _outcome(one) | {"category": one.category or None, "reason": one.reason or None}
                        for one in stage.actions
                    ],
                }
                for stage in self.execution.stages
            ],
            "environments": self.environments,
        }

    def tables(self) -> Iterator[Table]:
        """The stages with their actions, and what the environments run."""
        actions = [
            (
                Text("" if number else stage.name, "bold"),
                action.label,
                Text(*SIGNS.get(action.status, OTHER_SIGN)),
                action.status,
                "" if action.seconds is None else f"{action.seconds:.1f}",
                action.remark,
            )
            for stage in self.execution.stages
            for number, action in enumerate(stage.actions)
            if action.status != NOT_STARTED
        ]
        yield Table("", ("stage", "action", "", "status", "seconds", ""), actions)
        environments, settings = [], []
        for e in self.environments:
            this = "this one" if e["commit"] == self.commit.commit else e["commit"][:_COMMIT_LETTERS]
            instances = f", {e['instances']} × {e['instance_type']}" if e["instances"] else ""
            place = (e["environment"], f"{e['account']} {e['region']}", e["endpoint"])
            environments.append((*place, f"{e['status']}{instances}", this))
            launcher = parse_environment(e["settings"]) if e["settings"] else None
            settings.append((e["environment"], *(str(getattr(launcher, name.lower(), "")) for name in _SHOWN)))
        yield Table("", ("stage", "account, region", "endpoint", "status", "commit"), environments)
        yield Table("", ("stage", *_SHOWN), settings)


def _outcome(one: Stage | Action) -> dict[str, Any]:
    seconds = None if one.seconds is None else round(one.seconds, 1)
    return {"name": one.name, "status": one.status, "seconds": seconds}


def deployed(cloud: Cloud, environment: PromotedEnvironment, commits: Mapping[str, str]) -> dict[str, Any]:
    """What an environment's account runs, asked of SageMaker there; `commits` were deployed last, by stage.

    Environment, account, region, endpoint and its status (SageMaker's EndpointStatus, or none), instance type and
    count, the commit whose stack was deployed last (empty if none was), and the container's variables as settings.
    Raises ClientError.
    """
    name = environment.environment.resolved_endpoint_name
    place = {"environment": environment.name, "account": environment.account, "region": environment.region}
    nothing = {"status": NOTHING, "instance_type": "", "instances": 0, "commit": "", "settings": {}}
    found: dict[str, Any] = {**place, "endpoint": name, **nothing}
    sagemaker = cloud.client("sagemaker", environment.account, environment.region)
    endpoint = ask(sagemaker.describe_endpoint, NOT_IN_SAGEMAKER, EndpointName=name)
    if endpoint is None:
        return found
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    running = endpoint.get("ProductionVariants", [{}])[0]
    return found | {
        "status": endpoint["EndpointStatus"],
        "instance_type": variant["InstanceType"],
        "instances": running.get("CurrentInstanceCount", variant["InitialInstanceCount"]),
        "commit": commits.get(environment.name, ""),
        "settings": model["PrimaryContainer"]["Environment"],
    }
