"""The environment file's schema: fields, types, ranges and defaults. Rules across fields are in `rules`."""

from collections.abc import Callable, Iterable
from datetime import time
from math import ceil
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, PrivateAttr, Tag

from mistral7b import catalog
from mistral7b.environment import limits
from mistral7b.tgi import LauncherOverrides, LauncherSettings, parse_environment
from mistral7b.tgi.settings import or_auto
from mistral7b.workload import Workload
from mistral7b.yamlfile import Section

# CloudWatch Logs accepts these and no others (PutRetentionPolicy).
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip


def listed(values: Callable[[], Iterable[str]]) -> Any:
    """Lists the values for editors. The rules refuse others, with a fix."""
    return Field(json_schema_extra=lambda schema: schema.update(enum=[*values()]))


class Instance(Section):
    """What the model runs on."""

    type: Annotated[str, listed(lambda: (t.name for t in catalog.instance_types()))] | None = None
    """SageMaker instance type. Default: JumpStart's for this model version, ml.g5.2xlarge."""
    count: Annotated[int, Field(ge=1, le=100, json_schema_extra=or_auto)] = 1
    """Instances at creation. With `auto_scaling`, which then sets the number: from its `min_instances` to its
    `max_instances`."""


class Artifact(Section):
    """Weights of your own: a fine-tuned Mistral 7B in half precision. docs/own-weights.md has the policies."""

    uri: Annotated[str, limits.MODEL_DATA]
    """s3://BUCKET/PREFIX/ of uncompressed files, or s3://BUCKET/KEY.tar.gz, in the environment's region."""
    account: Annotated[str, limits.ACCOUNT_ID] | None = None
    """Account that owns the bucket. Default: the environment's."""
    kms_key_arn: Annotated[str, limits.KMS_KEY_ARN] | None = None
    """Customer managed key that encrypts the files. Default: none, Amazon S3 encrypts them with a key of AWS."""


class Image(Section):
    """A container image of your own: a copy of the TGI image of the model version, such as a patched one."""

    uri: Annotated[str, limits.ECR_IMAGE]
    """Image in a private repository of the environment's region, with tag or digest: docs/own-weights.md."""


class OwnVpc(Section):
    """A VPC of the environment's own: isolated subnets, no route to the internet."""

    cidr: Annotated[str, AfterValidator(limits.own_vpc_cidr)] = "10.0.0.0/16"
    """IPv4 range of the VPC: /16 to /27 for two zones."""
    availability_zones: Annotated[
        Annotated[int, Field(ge=2, le=6), Tag("count")]
        | Annotated[list[str], Field(min_length=2, max_length=6), Tag("names")],
        Discriminator(lambda value: "names" if isinstance(value, list) else "count"),
    ] = 2
    """How many zones to use (those that offer the instance type first), or which ones, by id such as use1-az1, which is
    the same in every account, or by name. Another choice later moves no other zone's subnet."""


class ExistingVpc(Section):
    """A VPC that already exists. Its subnets need a route to S3: the S3 gateway endpoint, here or there."""

    vpc_id: Annotated[str, limits.id_of("vpc")]
    """Id of the VPC."""
    subnet_ids: Annotated[list[Annotated[str, limits.id_of("subnet")]], Field(min_length=2, max_length=16)]
    """Ids of the subnets for the model, in at least two zones."""
    availability_zones: Annotated[list[str], Field(min_length=2, max_length=16)]
    """The zone of each subnet, in the same order, by id or by name."""
    cidr: Annotated[str, AfterValidator(limits.vpc_cidr)]
    """The VPC's IPv4 range: callers within it may reach the runtime endpoint."""
    route_table_ids: Annotated[list[Annotated[str, limits.id_of("rtb")]], Field(max_length=16)] = []
    """The subnets' route tables: given, an S3 gateway endpoint is added to them; empty, the VPC must have one."""


_BOTH_VPCS: dict[str, Any] = {
    "required": ["vpc", "existing_vpc"],
    "properties": {"vpc": {"type": "object"}, "existing_vpc": {"type": "object"}},  # null removes one
}


class Network(Section):
    """Where the model's network interfaces are: in `vpc` or in `existing_vpc`, not both. Default: a new VPC."""

    model_config = ConfigDict(json_schema_extra={"not": _BOTH_VPCS})

    vpc: OwnVpc | None = None
    """A VPC of the environment's own."""
    existing_vpc: ExistingVpc | None = None
    """A VPC that already exists, by its ids. `vpc_id`, `subnet_ids`, `availability_zones` and `cidr` are required."""
    runtime_endpoint: bool = True
    """Whether callers inside the VPC get an interface endpoint for `sagemaker.runtime`, billed by the hour and zone."""
    s3_prefix_list_id: Annotated[str, limits.id_of("pl")] | None = None
    """Id of the region's managed prefix list for S3. Default: the catalogue's, where it knows the region's."""


DAYS = {"daily": range(7), "weekdays": range(5), "weekends": range(5, 7)}
"""Days of the week by the words of a schedule; Monday is 0."""


class ScheduledBounds(Section):
    """Other bounds, within those of `auto_scaling`, from a time of day until the next entry begins."""

    days: Literal["daily", "weekdays", "weekends"] = "daily"
    """On which days: weekdays are Monday to Friday."""
    at: Annotated[str, limits.TIME_OF_DAY]
    """From when on, in quotes: "08:00"."""
    min_instances: Annotated[int, Field(ge=1, le=100)] | None = None
    """Minimum number of instances. Default: that of `auto_scaling`."""
    max_instances: Annotated[int, Field(ge=1, le=100)] | None = None
    """Maximum number of instances. Default: that of `auto_scaling`."""


class AutoScaling(Section):
    """Instances follow the number of requests in flight per instance."""

    min_instances: Annotated[int, Field(ge=1, le=100, json_schema_extra=or_auto)] = 1
    """Minimum number of instances. An endpoint without inference components cannot scale to zero."""
    max_instances: Annotated[int, Field(ge=1, le=100, json_schema_extra=or_auto)] = 2
    """Maximum number of instances."""
    target_concurrent_requests: Annotated[float, Field(ge=0.1, json_schema_extra=or_auto)] = 32
    """Requests in flight per instance that scaling aims at (ConcurrentRequestsPerModel)."""
    scale_out_cooldown_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    """Pause after a scale-out before the next."""
    scale_in_cooldown_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """Pause after a scale-in before the next."""
    time_zone: Annotated[str, AfterValidator(limits.time_zone)] = "UTC"
    """Time zone of the schedule, by its name in the IANA database, such as Europe/Berlin."""
    schedule: Annotated[list[ScheduledBounds], Field(max_length=50)] = []
    """Other bounds by the hour; docs/scaling.md has an example. Default: the same at any time."""

    def bounds_at(self, entry: ScheduledBounds) -> tuple[int, int]:
        """Fewest and most instances from an entry of the schedule on."""
        return entry.min_instances or self.min_instances, entry.max_instances or self.max_instances

    @property
    def week(self) -> list[tuple[float, int, int]]:
        """Hours since Monday, 0:00, and the bounds from then on; one without a schedule. The last holds until the first
        of the next week.
        """
        times = [(time.fromisoformat(entry.at), entry) for entry in self.schedule]
        changes = [
            (24 * day + at.hour + at.minute / 60, *self.bounds_at(entry))
            for at, entry in times
            for day in DAYS[entry.days]
        ]
        return sorted(changes) or [(0.0, self.min_instances, self.max_instances)]


AlarmKind = Literal[
    "server_errors", "model_errors", "refused_requests", "latency", "gpu_memory", "no_healthy_instance",
    "scaling_at_maximum",
]  # fmt: skip
AlarmKinds = Annotated[list[AlarmKind], Field(min_length=1), AfterValidator(limits.unique_items)]


class Updates(Section):
    """How an update moves requests to the new instances, and which alarms roll it back (docs/updates.md)."""

    strategy: Literal["all_at_once", "canary", "linear", "rolling"] = "all_at_once"
    """All requests at once; those of a canary first; in equal steps; or by replacing instances batch by batch. All but
    `rolling` start a second fleet."""
    rollback_alarms: AlarmKinds = ["server_errors", "model_errors"]
    """Alarms that roll an update back, by their names in the section `alarms`."""
    batch_percent: Annotated[int, Field(ge=1, le=50)] = 25
    """Percent of the instances: size of the canary, the linear step (10 or more) or the rolling batch (5 or more)."""
    batch_instances: Annotated[int, Field(ge=1, le=50)] | None = None
    """The same as a number of instances, in place of `batch_percent`."""
    wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """Seconds for which the alarms are watched after each batch."""
    bake_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
    """The same after the last batch, before the old fleet is stopped. `rolling` has `wait_seconds` only."""
    maximum_seconds: Annotated[int, Field(ge=600, le=28_800)] | None = None
    """Seconds after which an update is rolled back. Default: SageMaker's."""


class OfficeHours(Section):
    """The endpoint runs at these hours only: it is deleted when they end, and created again when they begin."""

    time_zone: Annotated[str, AfterValidator(limits.time_zone)]
    """Time zone of the hours, by its name in the IANA database, such as Europe/Berlin."""
    weekdays: Annotated[str, limits.OPENING_HOURS, AfterValidator(limits.opening_hours)]
    """From when to when it runs from Monday to Friday, in quotes: "08:00-19:00"."""

    @property
    def hours(self) -> tuple[time, time]:
        """When the endpoint is created, and when it is deleted."""
        opens, closes = (time.fromisoformat(one) for one in self.weekdays.split("-"))
        return opens, closes


_Percent = Annotated[float, Field(ge=0.1, le=100)]
_Minutes = Annotated[int, Field(ge=1, le=60)]


class Alarms(Section):
    """Alarms of the endpoint, sent by an encrypted topic of the environment's own. Percentages are of the requests of a
    minute; three minutes of five have to exceed them. docs/monitoring.md says what each means, and what it costs."""

    emails: limits.Emails = []
    """Addresses that the topic sends to; SNS asks each of them to confirm."""
    existing_topic_arn: Annotated[str, limits.TOPIC_ARN] | None = None
    """A topic to send to instead. Its policy, and that of its key, must let CloudWatch publish."""
    without: Annotated[list[AlarmKind], AfterValidator(limits.unique_items)] = []
    """Alarms that are left out."""
    server_errors: _Percent = 5.0
    """Percent that are answered with 5XX."""
    model_errors: _Percent = 5.0
    """Percent that fail on the endpoint's side: 5XX, no answer within 60 s, or a broken connection."""
    refused_requests: _Percent | None = None
    """Percent that the container refuses because too many are in flight. Default: half of the workload's
    `lost_percent`, or 1."""
    latency: Annotated[float, Field(ge=0.1, le=60)] | None = None
    """Seconds of the container's p90 latency. Default: the percentile and the seconds of the workload's objective, or
    30 s. An objective in milliseconds per token counts for the longest answer."""
    gpu_memory: _Percent = 99.0
    """Percent of an instance's GPU memory, for 15 minutes. TGI reserves most of it when it starts."""
    no_healthy_instance: _Minutes = 5
    """Minutes without any instance. With `office_hours` there is no such alarm."""
    scaling_at_maximum: _Minutes = 15
    """Minutes with `max_instances` instances, and more requests in flight on each than `target_concurrent_requests`."""


class Timeouts(Section):
    """How long SageMaker waits for an instance to start."""

    model_download_seconds: Annotated[int, Field(ge=60, le=3600)] = 1200
    """For copying the weights (14.5 GB) from S3."""
    container_startup_seconds: Annotated[int, Field(ge=60, le=3600)] = 1200
    """For loading the weights, until the container answers its health check."""


class Removal(Section):
    """What happens to logs and captured requests."""

    log_group: Literal["destroy", "retain"] = "destroy"
    """Whether `cdk destroy` deletes the log groups. A retained one blocks the next deployment: delete it before you
    reuse its name, or import it with `cdk deploy --import-existing-resources`."""
    log_retention_days: RetentionDays = 30
    """Days after which log events expire."""
    captured_data: Literal["destroy", "retain"] = "retain"
    """Whether `cdk destroy` deletes the bucket of `data_capture`, which AWS refuses while it holds objects. A retained
    bucket does not block the next deployment, which creates another."""


class Encryption(Section):
    """The key of log groups and captured requests."""

    kms_key_arn: Annotated[str, limits.KMS_KEY_ARN] | None = None
    """An existing key whose policy allows the region's CloudWatch Logs to use it. Default: the environment's own."""


class DataCapture(Section):
    """A share of the requests and answers, kept in a bucket of the environment's own."""

    sampling_percentage: Annotated[int, Field(ge=1, le=100)] = 100
    """How many of a hundred requests are kept."""
    modes: Annotated[
        list[Literal["Input", "Output"]], Field(min_length=1, max_length=2), AfterValidator(limits.unique_items)
    ] = [
        "Input",
        "Output",
    ]
    """Whether requests (`Input`), answers (`Output`) or both are kept."""
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days after which captured requests are deleted."""


RoleNames = Annotated[list[Annotated[str, limits.ROLE_NAME]], Field(max_length=50), AfterValidator(limits.unique_roles)]


class Callers(Section):
    """Who may invoke the endpoint, in addition to those whom other policies allow it."""

    role_names: RoleNames = []
    """Names of IAM roles of the account that may call `sagemaker:InvokeEndpoint` on this endpoint only. A role must
    exist before the deployment."""
    only_from_vpc: bool = False
    """Whether these roles may do so only from inside the VPC, through its interface endpoint for the runtime."""


class Operators(Section):
    """Who may check the environment, in addition to those whom other policies allow it."""

    role_names: RoleNames = []
    """Names of IAM roles of the account that may read all that `mistral7b doctor` reads, and change nothing. A role
    must exist before the deployment."""


CompliancePack = Literal["aws-solutions", "nist-800-53-r5", "pci-dss-3.2.1", "hipaa"]
"""Rule packs of cdk-nag."""
CompliancePacks = Annotated[list[CompliancePack], AfterValidator(limits.unique_items)]

Tags = Annotated[
    dict[
        Annotated[
            str,
            Field(min_length=1, max_length=limits.LONGEST_TAG_KEY),
            limits.TAG_TEXT,
            AfterValidator(limits.tag_key),
        ],
        Annotated[str, Field(max_length=256), limits.TAG_TEXT, AfterValidator(limits.tag_text)],
    ],
    Field(max_length=40),
    AfterValidator(limits.unique_ignoring_case),
]
"""Tags of every resource."""


class Environment(Section):
    """One environment: the content of common.yaml with the environment's own file laid over it."""

    name: Annotated[str, BeforeValidator(limits.environment_name)]
    account: Annotated[str, limits.ACCOUNT_ID] | None = None
    """AWS account id: 12 digits in quotes, such as "444455556666". Default: the account of the CLI's credentials."""
    region: Annotated[str, listed(catalog.regions)]
    """AWS region, such as us-east-1. JumpStart publishes Mistral 7B in these."""
    model: catalog.ModelName = "instruct"
    """Mistral 7B `base` (completes text) or `instruct` (follows instructions)."""
    model_version: (
        Annotated[str, listed(lambda: sorted({v.version for m in catalog.models() for v in m.versions}))] | None
    ) = None
    """JumpStart's version of the model; `mistral7b models` lists those of each. Default: the newest on TGI 1.1.0 (base
    2.1.0, instruct 2.0.0). With `artifact` or `image`, what these do not replace: weights or image, and settings."""
    artifact: Artifact | None = None
    """Default: JumpStart's weights of the model version."""
    image: Image | None = None
    """Default: JumpStart's image of the model version."""
    endpoint_name: Annotated[str, limits.ENDPOINT_NAME] | None = None
    """Name of the endpoint. Default: mistral-7b-MODEL-ENVIRONMENT."""
    instance: Instance = Field(default_factory=Instance)
    tgi: LauncherOverrides = Field(default_factory=LauncherOverrides)
    """Launcher variables of the container, over JumpStart's values."""
    network: Network = Field(default_factory=Network)
    auto_scaling: AutoScaling | None = None
    """Default: a fixed number of instances, as JumpStart's. A value in common.yaml (1 to 2 instances, as shipped) holds
    for every environment: `auto_scaling: null` in the environment's file turns it off."""
    office_hours: OfficeHours | None = None
    """Default: the endpoint always runs. Only without `auto_scaling`; docs/office-hours.md says what to expect."""
    updates: Updates | None = None
    """Default: SageMaker's: all at once on a second fleet, and no alarm rolls an update back."""
    workload: Workload | None = None
    """Expected traffic and the latency it needs. Default: none, so nothing can be `auto`."""
    alarms: Alarms | None = None
    """Default: none. `alarms: {}` has every alarm at its default."""
    dashboard: bool = False
    """Whether there is a CloudWatch dashboard named like the endpoint, for 3 USD a month beyond an account's third."""
    callers: Callers = Field(default_factory=Callers)
    operators: Operators = Field(default_factory=Operators)
    data_capture: DataCapture | None = None
    """Default: no request is kept. By default `cdk destroy` retains the bucket (`removal.captured_data`)."""
    encryption: Encryption = Field(default_factory=Encryption)
    timeouts: Timeouts = Field(default_factory=Timeouts)
    removal: Removal = Field(default_factory=Removal)
    termination_protection: bool = False
    """Whether `mistral7b protect ENV`, which a pipeline runs after each deployment, protects the stack from removal. A
    `cdk deploy` by hand turns the protection off, so run the command again. To remove it: false, then the command."""
    compliance_packs: CompliancePacks = [*get_args(CompliancePack)]
    """Rule packs of cdk-nag that a synth has to pass; a finding that is not acknowledged with a reason fails it."""
    tags: Tags = {}
    """Tags of every resource."""
    enhanced_metrics: bool = False
    """Whether SageMaker also publishes metrics by instance and GPU, which is billed. The alarms do not need them."""
    detailed_observability: bool = False
    """Whether SageMaker publishes OpenTelemetry metrics of container, GPU and host, which are billed. Alarms and
    dashboards of classic metrics cannot use them. SageMaker's own default since June 2026 is true."""
    _planned: tuple[str, ...] = PrivateAttr(default=())

    @property
    def planned(self) -> tuple[str, ...]:
        """Dotted names of the fields that are `auto` in the file: their values are the planner's."""
        return self._planned

    @property
    def version(self) -> catalog.ModelVersion:
        """The model version to deploy."""
        model = catalog.model(self.model)
        return model.default_version if self.model_version is None else model.version(self.model_version)

    @property
    def instance_type(self) -> str:
        """The SageMaker instance type to deploy on."""
        return self.instance.type or self.version.default_instance_type

    @property
    def resolved_endpoint_name(self) -> str:
        """The endpoint's name."""
        return self.endpoint_name or f"mistral-7b-{self.model}-{self.name}"

    @property
    def image_uri(self) -> str:
        """The container image."""
        return self.image.uri if self.image else self.version.image_uri(self.region)

    @property
    def artifact_uri(self) -> str:
        """The S3 URI of the weights."""
        return self.artifact.uri if self.artifact else self.version.artifact_uri(self.region)

    @property
    def runs(self) -> str:
        """JumpStart's model and version, or else image and weights."""
        own = f"{self.image_uri} with {self.artifact_uri}"
        return own if self.artifact or self.image else f"{self.model} {self.version.version}"

    def jumpstart_environment(self) -> dict[str, str]:
        """The container's environment as JumpStart has it, before this file's overrides."""
        return self.version.environment(self.instance_type)

    def container_environment(self) -> dict[str, str]:
        """The container's whole environment, as it is deployed."""
        return self.jumpstart_environment() | self.tgi.to_environment()

    def launcher_settings(self) -> LauncherSettings:
        """Every setting that the container starts with, its own defaults included."""
        return parse_environment(self.container_environment())

    @property
    def availability_zones(self) -> tuple[str, ...]:
        """Ids or names of the zones of the own VPC's subnets, or of the existing one's."""
        if self.network.existing_vpc is not None:
            return tuple(self.network.existing_vpc.availability_zones)
        zones = (self.network.vpc or OwnVpc()).availability_zones
        if isinstance(zones, int):
            return catalog.availability_zones(self.region, self.instance_type)[:zones]
        return tuple(zones)

    @property
    def instance_bounds(self) -> tuple[int, int]:
        """Fewest and most instances, an update's second fleet not counted."""
        if self.auto_scaling is None:
            return self.instance.count, self.instance.count
        return self.auto_scaling.min_instances, self.auto_scaling.max_instances

    def update_batch(self, fleet: int) -> int:
        """Instances that an update starts at a time, of a fleet of so many: all of them, unless it rolls."""
        if self.updates is None or self.updates.strategy != "rolling":
            return fleet
        return self.updates.batch_instances or ceil(fleet * self.updates.batch_percent / 100)

    @property
    def latency_objective(self) -> tuple[str, float]:
        """Percentile and seconds of the latency alarm: the file's, or else those of its objective, or 30 s."""
        given = self.alarms.latency if self.alarms else None
        asked = self.workload.objective.latencies().items() if self.workload else ()
        held = [(name[:3], "seconds" in name, value) for name, value in asked if "first_token" not in name]
        if given or self.workload is None or not held:
            return "p90", given or 30.0
        percentile, whole, value = max(held)
        seconds = value if whole else value * self.workload.longest_answer / 1000
        return percentile, min(seconds, self.workload.answer_limit_s - 5)  # then SageMaker ends a request

    @property
    def alarm_thresholds(self) -> dict[str, float]:
        """The kinds of alarms that there are, and the threshold of each."""
        alarms = self.alarms or Alarms(without=[*get_args(AlarmKind)])
        lost = self.workload.objective.lost_percent / 2 if self.workload else 1.0
        derived = {"refused_requests": alarms.refused_requests or lost, "latency": self.latency_objective[1]}
        without = {*alarms.without, *(["no_healthy_instance"] if self.office_hours else [])}
        return {kind: derived.get(kind) or getattr(alarms, kind) for kind in get_args(AlarmKind) if kind not in without}

    @property
    def alarm_names(self) -> list[str]:
        """Names of the alarms that there are."""
        kinds = [kind for kind in self.alarm_thresholds if kind != "scaling_at_maximum" or self.auto_scaling]
        return [f"{self.resolved_endpoint_name}-{kind.replace('_', '-')}" for kind in kinds]

    @property
    def own_vpc(self) -> OwnVpc | None:
        """The own VPC's settings; None where an existing VPC is used."""
        return None if self.network.existing_vpc else self.network.vpc or OwnVpc()


def for_editors(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The JSON schema of a file. Its only title is the file's: pydantic's repeat the names."""
    schema = model.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        for named in (section, *section["properties"].values()):
            named.pop("title", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def complete_schema() -> dict[str, Any]:
    """The JSON schema of common.yaml and an environment's file together, with what is required."""
    schema = for_editors(Environment, "Mistral 7B environment")
    del schema["properties"]["name"]
    schema["required"].remove("name")
    return schema


def json_schema() -> dict[str, Any]:
    """The JSON schema of an environment file, for editors.

    Nothing is required in it: any field may stand in common.yaml and be left out elsewhere, or be null to take a
    value of common.yaml back. Whether the whole is complete is checked on loading.
    """
    schema = complete_schema()
    for section in (schema, *schema["$defs"].values()):
        section.pop("required", None)
        for name, field in section["properties"].items():
            section["properties"][name] = _or_null(field)
    return schema


def _or_null(field: dict[str, Any]) -> dict[str, Any]:
    form = {key: field.pop(key) for key in list(field) if key not in ("description", "default")}
    choices = [c for c in form.get("anyOf") or form.get("oneOf") or [form] if c != {"type": "null"}]
    return field | {"anyOf": [*choices, {"type": "null"}]}
