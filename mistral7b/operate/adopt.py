"""The environment file that deploys the same as an endpoint that JumpStart, Studio or the SageMaker SDK made.

AWS is only asked to describe and list. What a deployment from the file changes, or lacks, is a remark.
"""

import json
import re
from pathlib import Path
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from mistral7b import catalog
from mistral7b.catalog.data import load
from mistral7b.catalog.models import JUMPSTART_TAG
from mistral7b.errors import UserError
from mistral7b.operate.calls import NOT_IN_SAGEMAKER, Client, denied, each
from mistral7b.tgi import LauncherError, LauncherSettings, parse_environment
from mistral7b.yamlfile import read, with_guess

Described = dict[str, Any]

_REPOSITORY = "huggingface-pytorch-tgi-inference"
_IMAGE = re.compile(r"[^/]+/([^:@]+):?([^@]*)(?:@.+)?")
_WEIGHTS = re.compile(r"s3://jumpstart-cache-prod-[a-z0-9-]+/(.+)")
# A text that needs no quotes in YAML, neither in 1.2 nor in 1.1.
_PLAIN = re.compile(r"(?!(?i:true|false|null|yes|no|on|off|y|n)$)[A-Za-z][\w.-]*|\d+\.\d+\.\d+")
_JUMPSTART_TAGS = (JUMPSTART_TAG, "sagemaker-studio:jumpstart-")
_AWS_TAGS = (*_JUMPSTART_TAGS, "aws:", "aws-jumpstart", "sagemaker:", "sm-jumpstart")
# Settings that follow from the weights and the instance type.
_DERIVED = ("HF_MODEL_ID", "HF_MODEL_REVISION", "SM_NUM_GPUS")

# Facts, fields of the file, and remarks.
_TABLE: Described = json.loads(Path(__file__).with_name("adopt.json").read_text(encoding="utf-8"))
# What SageMaker describes that is considered there or below, or says nothing about a deployment.
_CONSIDERED = re.compile(
    r"ResponseMetadata|Endpoint\w*(Arn|Status)|\w+(Time|Name)|ProductionVariants|FailureReason|InstanceType|Initial\w+|"
    r"(DataCapture|Metrics|Routing|Vpc|AsyncInference)Config|(Model|Container)\w+TimeoutInSeconds|ExecutionRoleArn|"
    r"ManagedInstanceScaling|EnableNetworkIsolation|Image|Mode|ModelData\w+|Environment|\w+Hostname|PendingDeployment\w+"
)


class Adoption:
    """The environment file of an endpoint: dotted fields, comments by field, and remarks.

    A remark says what a deployment `changes`, what is `not kept`, or what the credentials may `not read`.
    """

    def __init__(self, client: Client, endpoint_name: str, common: Path) -> None:
        """Reads the endpoint. Launcher variables that the file `common` sets, if it is there, are taken back.

        Raises UserError if no environment file can describe it, ClientError if it cannot be read.
        """
        self._client, self._name = client, endpoint_name
        self.fields, self.comments, self.remarks = dict[str, Any](), dict[str, str](), list[dict[str, str]]()
        endpoint = self._describe("endpoint", endpoint_name)
        config = self._describe("endpoint_config", endpoint["EndpointConfigName"])
        shown = {one["VariantName"]: one for one in endpoint.get("ProductionVariants", [])}
        weights = {name: one.get("CurrentWeight", 0) for name, one in shown.items()}
        variant, *others = sorted(config["ProductionVariants"], key=lambda one: -weights.get(one["VariantName"], 0))
        if "ServerlessConfig" in variant:
            raise self._refusal("it is serverless, without instances and GPUs")
        component = {} if variant.get("ModelName") else self._component(variant["VariantName"])
        model, container = self._container(variant.get("ModelName"), component.get("Specification", {}))
        facts = {"endpoint": endpoint, "config": config, "variant": variant, "others": others, "component": component}
        facts |= {"model": model or config, "current": shown.get(variant["VariantName"])}
        facts["random"] = variant.get("RoutingConfig", {}).get("RoutingStrategy", "RANDOM") == "RANDOM"
        facts |= self._scaling_and_logs(variant["VariantName"], component)
        version = self._put_model(container, endpoint["EndpointArn"])
        self.fields["instance.type"] = variant.get("InstanceType", version.default_instance_type)
        self._put_settings(container.get("Environment") or {}, version, common)
        facts |= {name: jmespath.search(query, facts) for name, query in _TABLE["facts"].items()}
        found = {path: jmespath.search(query, facts) for path, query in _TABLE["fields"].items()}
        self.fields |= {path: value for path, value in found.items() if value is not None}
        self._put_scaling()
        if "data_capture.modes" not in self.fields:
            self.fields["data_capture"] = None
        for kind, what, query, text in _TABLE["remarks"]:
            told = jmespath.search(query, facts)
            self._remark(kind, [what] if told else [], text.format(told))
        described = {**endpoint, **config, **variant, **container}
        for member in (one for one, value in described.items() if value and not _CONSIDERED.fullmatch(one)):
            self._remark("not kept", [member], "environment files have no such setting")

    def text(self) -> str:
        """The file."""
        lines = [f"# Adopted from the endpoint {self._name}: docs/adopt.md has the next steps."]
        for section in dict.fromkeys(path.partition(".")[0] for path in self.fields):
            inside = [path for path in self.fields if path.startswith(f"{section}.")]
            lines += [f"{section}:"] if inside else []
            for path in inside or [section]:
                key, value = path.removeprefix(f"{section}."), self.fields[path]
                line = f"{'  ' if inside else ''}{_yaml(key)}: {_yaml(value)}"
                lines.append(f"{line:<31} # {self.comments[path]}" if path in self.comments else line)
        return "\n".join(lines) + "\n"

    def _put(self, path: str, value: Any, comment: str) -> None:
        self.fields[path], self.comments[path] = value, comment

    def _remark(self, kind: str, names: list[str], text: str) -> None:
        self.remarks += [{"kind": kind, "what": ", ".join(names), "text": text}] if names else []

    def _refusal(self, reason: str, hint: str = "") -> UserError:
        fix = f"{hint}write a file of your own, such as environments/dev.yaml, and move the callers to its endpoint"
        return UserError(f"{self._name} cannot be adopted: {reason}\nfix: {fix}", 1)

    def _describe(self, kind: str, name: str) -> Described:
        """An endpoint, endpoint_config or model. Raises UserError if it is not there."""
        named = {f"{kind.title().replace('_', '')}Name": name}
        try:
            answer: Described = getattr(self._client("sagemaker"), f"describe_{kind}")(**named)
        except ClientError as error:
            if error.response["Error"]["Code"] != NOT_IN_SAGEMAKER:
                raise
            fix = "it was deleted after the deployment: deploy the endpoint again, then adopt it"
            if kind == "endpoint":
                names = [one["EndpointName"] for one in self._list("sagemaker", "list_endpoints", "Endpoints")]
                fix = with_guess(name, names, "name an endpoint of this account and region; --region names another")
            raise UserError(f"{error.response['Error']['Message']}\nfix: {fix}") from error
        return answer

    def _list(self, service: str, operation: str, key: str, **names: Any) -> list[Described]:
        """All pages of a list; what the credentials may not read is a remark."""
        client = self._client(service)
        try:
            return [*each(client, operation, key, **names)]
        except ClientError as error:
            if not denied(error):
                raise
            self._remark("not read", [f"{service}:{error.operation_name}"], "the credentials do not allow it")
            return []

    def _component(self, variant: str) -> Described:
        """The only inference component of a variant that names no model; adapters, which have a base, do not count."""
        client = self._client("sagemaker")
        path, of = "InferenceComponents[].InferenceComponentName", {"EndpointNameEquals": self._name}
        names = [*each(client, "list_inference_components", path, **of)]
        described = [client.describe_inference_component(InferenceComponentName=one) for one in names]
        query = f"[?VariantName=='{variant}' && !(Specification.BaseInferenceComponentName)]"
        found: list[Described] = jmespath.search(query, described)
        if len(found) != 1:
            told = ", ".join(one["InferenceComponentName"] for one in found) or "none"
            raise self._refusal(f"an environment has one model, and it has {len(found)} inference components: {told}")
        return found[0]

    def _container(self, name: str | None, specification: Described) -> tuple[Described, Described]:
        """The model, empty for a component that has none, and its only container. Raises UserError."""
        if not (name := name or specification.get("ModelName")):
            query = "{Image: DeployedImage.SpecifiedImage, ModelDataUrl: ArtifactUrl, Environment: Environment}"
            return {}, jmespath.search(query, specification["Container"])
        model = self._describe("model", name)
        container, *others = model.get("Containers") or [model["PrimaryContainer"]]
        found = f"{len(others) + 1} containers" if others else container.get("ModelPackageName")
        found = (
            f"many models, under {container.get('ModelDataUrl')}" if container.get("Mode") == "MultiModel" else found
        )
        if found:
            raise self._refusal(f"its model {name} has, in place of one image and its weights, {found}")
        return model, container

    def _scaling_and_logs(self, variant: str, component: Described) -> Described:
        """Scalable target of the variant, scaling policies and scheduled actions of all that scales, and log group."""
        service, group = "application-autoscaling", f"/aws/sagemaker/Endpoints/{self._name}"
        names = [f"endpoint/{self._name}/variant/{variant}"]
        names += [f"inference-component/{component['InferenceComponentName']}"] if component else []
        ours, policies, actions = {"ServiceNamespace": "sagemaker"}, list[Described](), list[Described]()
        targets = self._list(service, "describe_scalable_targets", "ScalableTargets", **ours, ResourceIds=names)
        for one in (target["ResourceId"] for target in targets):
            policies += self._list(service, "describe_scaling_policies", "ScalingPolicies", **ours, ResourceId=one)
            actions += self._list(service, "describe_scheduled_actions", "ScheduledActions", **ours, ResourceId=one)
        groups = self._list("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=group)
        found = next((one for one in groups if one["logGroupName"] == group), None)
        return {"targets": targets, "policies": policies, "actions": actions, "log_group": found}

    def _put_model(self, container: Described, arn: str) -> catalog.ModelVersion:
        """Place, tags, and the version of these weights and this image, or the nearest. Raises UserError."""
        _, _, _, region, account, _ = arn.split(":", 5)
        tags = {one["Key"]: one["Value"] for one in self._list("sagemaker", "list_tags", "Tags", ResourceArn=arn)}
        query = "ModelDataSource.S3DataSource.S3Uri || ModelDataUrl || Environment.HF_MODEL_ID"
        source = jmespath.search(query, container)
        weights, image = _WEIGHTS.fullmatch(source or ""), _IMAGE.fullmatch(container["Image"])
        published = [version for model in catalog.models() for version in model.versions]
        known = [one for one in published if weights and one.artifact_key == weights[1]]
        tagged = {tags.get(f"{prefix}{of}") for prefix in _JUMPSTART_TAGS for of in ("model-id", "model-version")}
        like = known or [one for one in published if one.jumpstart_id in tagged]
        registries = load("jumpstart.json")["image_account_by_region"].values()
        own_weights = not weights and (source or "").startswith("s3://")
        own_image = ".dkr.ecr." in container["Image"] and container["Image"][:12] not in registries
        hint = f"the nearest is {like[-1].model} {like[-1].version}, on TGI {like[-1].tgi_version}: " if like else ""
        if not known and not own_weights:
            raise self._refusal(
                f"its weights, {source or 'of no S3 URI'}, are none of JumpStart's Mistral 7B on TGI", hint
            )
        if not image or (image[1] != _REPOSITORY and not own_image):
            raise self._refusal(f"its image {container['Image']} is not {_REPOSITORY}", hint)
        known = known or like or [catalog.model("instruct").default_version]
        tgi = [_number(one.image_tag) for one in known]
        nearest_tgi = max((one for one in tgi if one <= _number(image[2])), default=min(tgi))
        same = [one for one in known if one.image_tag == image[2]]
        same = same or [one for one in known if _number(one.image_tag) == nearest_tgi]
        same = [one for one in same if region in one.regions] or same
        version = next((one for one in same if one.version in tagged), same[-1])
        self.fields |= {"account": account, "region": region, "model": version.model}
        form = "your own" if own_weights else version.weights
        self._put("model_version", version.version, f"TGI {version.tgi_version}, weights {form}")
        if own_weights:
            self._put("artifact.uri", source, "add account if it is another's, kms_key_arn if a key encrypts it")
            self.comments["model"] = "by JumpStart's tag" if like else "a guess: base or instruct"
        if own_image:
            self._put("image.uri", container["Image"], "checked as if it were the TGI of model_version")
        elif version.image_tag != image[2]:
            self._remark("changes", ["image"], f"{image[2] or image[0]} becomes {version.image_tag}, the nearest")
        self._put("endpoint_name", self._name, "without this line: a new endpoint, beside this one")
        own = [key for key in tags if not key.lower().startswith(_AWS_TAGS)]
        self.fields |= {f"tags.{key}": tags[key] for key in own}
        lost = [key for key in tags if key not in own and not key.startswith(_JUMPSTART_TAGS)]
        self._remark("not kept", lost, "tags of AWS's tools")
        return version

    def _put_settings(self, given: dict[str, str], version: catalog.ModelVersion, common: Path) -> None:
        """The launcher variables that differ from JumpStart's. Remarks name variables, but not values: secrets."""
        jumpstart, problems = version.environment(self.fields["instance.type"]), dict[str, str]()
        try:
            now = parse_environment(given)
        except LauncherError as error:
            now, problems = error.settings, {one.variable: one.reason for one in error.problems}
        defaults, variables = parse_environment(jumpstart), [one.upper() for one in LauncherSettings.model_fields]
        for variable in (one for one in variables if one not in _DERIVED):
            value = getattr(now, variable.lower())
            if variable in problems:
                self._remark("not kept", [variable], problems[variable])
            elif value != getattr(defaults, variable.lower()) and (variable in given or version.tgi_version == "1.1.0"):
                self._put(f"tgi.{variable}", value, f"JumpStart: {jumpstart.get(variable, 'unset')}")
        for variable in (read(common, str(common)).values.get("tgi") or {}) if common.is_file() else {}:
            if f"tgi.{variable}" not in self.fields:
                self._put(f"tgi.{variable}", None, "removes common.yaml's")
        read_by_tgi = {*variables} - {"SM_NUM_GPUS"}  # which follows from the instance type
        changed = [one for one in jumpstart if one not in read_by_tgi and given.get(one) != jumpstart[one]]
        self._remark("changes", changed, "become JumpStart's for the instance type")
        unknown = [one for one in given if one not in variables and one not in jumpstart]
        self._remark("not kept", unknown, "environment files set no such variable")

    def _put_scaling(self) -> None:
        """Completes the bounds of scaling, or says that the endpoint does not scale."""
        low, high = (self.fields.pop(f"auto_scaling.{one}_instances", None) or 1 for one in ("min", "max"))
        if high <= low:
            self.fields = {path: one for path, one in self.fields.items() if not path.startswith("auto_scaling.")}
            self.fields["auto_scaling"] = None
            return
        self.fields |= {"auto_scaling.min_instances": low, "auto_scaling.max_instances": high}
        if (path := "auto_scaling.target_concurrent_requests") not in self.fields:
            self._put(path, min(32, self.fields.get("tgi.MAX_CONCURRENT_REQUESTS", 32)), "a guess: `mistral7b plan`")
            self._remark("changes", ["auto_scaling"], "instances follow the number of requests in flight")


def _number(tag: str) -> list[int]:
    """The version of TGI in an image's tag, to compare; empty if there is none."""
    return [int(part) for part in re.findall(r"\d+", tag.partition("tgi")[2].partition("-")[0])]


def _yaml(value: Any) -> str:
    plain = isinstance(value, str) and _PLAIN.fullmatch(value)
    return str(value) if plain else json.dumps(value, ensure_ascii=False)
