"""Endpoints that the SageMaker SDK deployed are adopted: what their files deploy is compared with what the SDK sent.

`adopted/record.py` recorded the SDK's requests. They are replayed on the embedded AWS; what that does not have, such as
inference components, is answered as SageMaker's API describes it.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore import xform_name
from botocore.stub import ANY, Stubber

from mistral7b import catalog
from mistral7b.catalog import ModelVersion
from mistral7b.environment import Environment, load_environment
from mistral7b.errors import UserError
from mistral7b.operate.adopt import Adoption
from mistral7b.tgi import parse_environment
from sagehost import hosting, moto_app
from sagehost.hosting.settings import HostingSettings
from tests.unit.fresh_accounts import fresh_account
from tests.unit.parity.test_jumpstart import ALL, endpoint_templates

Requests = list[dict[str, Any]]
RECORDED: dict[str, Requests] = json.loads(
    (Path(__file__).parent / "adopted" / "requests.json").read_text(encoding="utf-8")
)["recorded"]
OF_THE_SDK = {"SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_CONTAINER_LOG_LEVEL", "SAGEMAKER_MODEL_SERVER_TIMEOUT"}
"""JumpStart's variables that the SDK leaves out of a model without code, and TGI does not read."""
NO_FILE = Path("environments/common.yaml")
OVERRIDES: list[dict[str, str]] = [
    {},
    {"MAX_CONCURRENT_REQUESTS": "64", "WAITING_SERVED_RATIO": "0.5"},
    {"MAX_INPUT_LENGTH": "4096", "MAX_TOTAL_TOKENS": "6000", "MAX_BATCH_PREFILL_TOKENS": "5000"},
    {"MAX_BEST_OF": "4", "MAX_STOP_SEQUENCES": "9", "MAX_TOP_N_TOKENS": "7", "VALIDATION_WORKERS": "4"},
    {"HF_MODEL_TRUST_REMOTE_CODE": "true", "DTYPE": "bfloat16", "CUDA_MEMORY_FRACTION": "0.9"},
    {"ROPE_SCALING": "dynamic", "ROPE_FACTOR": "2.0", "WATERMARK_GAMMA": "0.5", "WATERMARK_DELTA": "2.5"},
]


def of(requests: Requests, operation: str) -> dict[str, Any]:
    """The parameters of an operation, to be changed."""
    [parameters] = [one[operation] for one in requests if operation in one]
    assert isinstance(parameters, dict)
    return parameters


def recorded(name: str) -> Requests:
    return copy.deepcopy(RECORDED[name])


def retargeted(version: ModelVersion, region: str, kind: str, overrides: dict[str, str]) -> Requests:
    """What the SDK sent for a version with weights of this form, for this one instead."""
    requests = recorded("announcement" if version.artifact_key.endswith(".tar.gz") else "base")
    for parameters in (one for request in requests for one in request.values()):
        parameters["Tags"] = [{"Key": key, "Value": value} for key, value in version.jumpstart_tags.items()]
    container = of(requests, "CreateModel")["PrimaryContainer"]
    container["Image"] = version.image_uri(region)
    if "ModelDataUrl" in container:
        container["ModelDataUrl"] = version.artifact_uri(region)
    else:
        container["ModelDataSource"]["S3DataSource"]["S3Uri"] = version.artifact_uri(region)
    container["Environment"] |= version.instance_environment.get(kind, {}) | overrides
    of(requests, "CreateEndpointConfig")["ProductionVariants"][0]["InstanceType"] = kind
    return requests


_NUMBERS = itertools.count()


class Embedded:
    """An account of the embedded AWS."""

    def __init__(self, region: str = "us-east-1") -> None:
        self.account, self.region = fresh_account(), region
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}]}
        trust["Statement"][0]["Action"] = "sts:AssumeRole"
        role = {
            "RoleName": "made-by-studio",
            "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", **trust}),
        }
        self.role = self("iam").create_role(**role)["Role"]["Arn"]

    def __call__(self, service: str) -> Any:
        return moto_app.client(service, self.account, self.region)

    def replay(self, requests: Requests) -> str:
        """Sends the requests, under names of their own; returns the endpoint's."""
        name = f"adopted-{next(_NUMBERS)}"
        for operation, parameters in (item for request in copy.deepcopy(requests) for item in request.items()):
            given = {key: name for key in ("ModelName", "EndpointConfigName", "EndpointName") if key in parameters}
            given |= {"ExecutionRoleArn": self.role} if "ExecutionRoleArn" in parameters else {}
            for variant in parameters.get("ProductionVariants", []):
                variant["ModelName"] = name
            getattr(self("sagemaker"), xform_name(operation))(**{**parameters, **given})
        return name


@pytest.fixture(autouse=True)
def _hosting() -> None:
    """Endpoints that are created at once, with containers that are not started."""
    hosting.install(HostingSettings(), containers={}, later=lambda work: None)


def loaded(adoption: Adoption, folder: Path, common: str = "") -> Environment:
    """The environment of the file."""
    (folder / "common.yaml").write_text(common)
    (folder / "dev.yaml").write_text(adoption.text())
    return load_environment(folder, "dev")


def remarks(adoption: Adoption) -> dict[str, str]:
    """What was said, by kind and subject."""
    return {f"{one['kind']}: {one['what']}": one["text"] for one in adoption.remarks}


def sent(requests: Requests) -> dict[str, Any]:
    """What the SDK sent of the container and its instances, as a template has it."""
    container = of(requests, "CreateModel")["PrimaryContainer"]
    [variant] = of(requests, "CreateEndpointConfig")["ProductionVariants"]
    source = container.get("ModelDataSource") or {
        "S3DataSource": {"S3Uri": container["ModelDataUrl"], "S3DataType": "S3Object", "CompressionType": "Gzip"}
    }
    members = ("InstanceType", "InitialInstanceCount", "ModelDataDownloadTimeoutInSeconds", "VariantName")
    return {
        "Image": container["Image"],
        **source["S3DataSource"],
        **container["Environment"],
        **{member: variant[member] for member in members},
    }


def deployed(template: dict[str, Any]) -> dict[str, Any]:
    """The same of a template, without the variables that the SDK leaves out."""
    resources = {one["Type"]: one["Properties"] for one in template["Resources"].values()}
    container = resources["AWS::SageMaker::Model"]["PrimaryContainer"]
    [variant] = resources["AWS::SageMaker::EndpointConfig"]["ProductionVariants"]
    members = ("InstanceType", "InitialInstanceCount", "ModelDataDownloadTimeoutInSeconds", "VariantName")
    environment = {key: value for key, value in container["Environment"].items() if key not in OF_THE_SDK}
    return {
        "Image": container["Image"],
        **container["ModelDataSource"]["S3DataSource"],
        **environment,
        **{member: variant[member] for member in members},
    }


def combinations(region: str) -> Iterator[tuple[ModelVersion, str]]:
    """Every version in the region, elsewhere than in us-east-1 on its default instance type.

    There each takes the next of its types, and under `make test-all` all of them.
    """
    found = (version for model in catalog.models() for version in model.versions if region in version.regions)
    for number, version in enumerate(found):
        kinds = list(version.supported_instance_types)
        if region != "us-east-1":
            kinds = [version.default_instance_type]
        elif not ALL:
            kinds = [kinds[number % len(kinds)]]
        yield from ((version, kind) for kind in kinds)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1", "af-south-1", "me-central-1"])
def test_what_the_sdk_deployed_is_deployed_the_same_over_the_whole_catalogue(region: str, tmp_path: Path) -> None:
    aws, turns = Embedded(region), itertools.cycle(OVERRIDES)
    requests = {
        f"e{number}": retargeted(version, region, kind, next(turns))
        for number, (version, kind) in enumerate(combinations(region))
    }
    files = {name: yaml.safe_load(Adoption(aws, aws.replay(one), NO_FILE).text()) for name, one in requests.items()}
    for file in files.values():
        del file["account"]  # the key of the comparison is another account's
    templates = endpoint_templates(tmp_path, region, files)
    assert {name: deployed(template) for name, template in templates.items()} == {
        name: sent(one) for name, one in requests.items()
    }
    versions = [version.version for version, _ in combinations(region)]
    assert [file["model_version"] for file in files.values()] == versions


@pytest.mark.parametrize("name", ["announcement", "today", "base", "asynchronous"])
def test_a_notebooks_endpoint_is_adopted_with_its_settings(name: str, tmp_path: Path) -> None:
    aws = Embedded()
    adoption = Adoption(aws, endpoint := aws.replay(recorded(name)), NO_FILE)
    env, container = loaded(adoption, tmp_path), of(RECORDED[name], "CreateModel")["PrimaryContainer"]
    assert (env.account, env.region, env.endpoint_name) == (aws.account, "us-east-1", endpoint)
    assert env.launcher_settings() == parse_environment(container["Environment"])
    assert env.image_uri == container["Image"]
    assert env.auto_scaling is None
    told = remarks(adoption)
    assert told["changes: execution role"] == f"{aws.role} becomes a role with least privilege"
    assert told["changes: network"] == "the model gets a VPC, without internet"
    assert "changes: isolation" not in told
    assert ("changes: callers" in told) is (name == "asynchronous")


def test_overrides_tags_and_data_capture_are_kept(tmp_path: Path) -> None:
    aws, requests = Embedded(), recorded("overridden")
    del of(requests, "CreateModel")["VpcConfig"]
    of(requests, "CreateModel")["PrimaryContainer"]["Environment"]["HUGGING_FACE_HUB_TOKEN"] = "hf_secret"
    adoption = Adoption(aws, aws.replay(requests), NO_FILE)
    env = loaded(adoption, tmp_path)
    assert env.tgi.to_environment() == {
        "MAX_CONCURRENT_REQUESTS": "64", "MAX_INPUT_LENGTH": "4096", "WAITING_SERVED_RATIO": "1.5"
    }  # fmt: skip
    assert (env.instance_type, env.instance.count) == ("ml.g5.4xlarge", 2)
    assert (env.timeouts.model_download_seconds, env.timeouts.container_startup_seconds) == (900, 1800)
    assert env.tags == {"team": "research", "cost-center": "0042"}
    assert env.data_capture is not None
    assert (env.data_capture.sampling_percentage, env.data_capture.modes) == (20, ["Input", "Output"])
    assert "  MAX_INPUT_LENGTH: 4096        # JumpStart: 8191\n" in adoption.text()
    told = remarks(adoption)
    assert told["not kept: CUSTOM, HUGGING_FACE_HUB_TOKEN"] == "environment files set no such variable"
    assert "hf_secret" not in adoption.text() + str(told)
    assert told["changes: data capture"].startswith("s3://bucket-of-research/captured becomes")


@pytest.mark.parametrize(
    ("metric", "kept"), [("InvocationsPerInstance", False), ("ConcurrentRequestsPerModelHighResolution", True)]
)
def test_scaling_on_requests_in_flight_is_kept_and_another_policy_is_named(
    metric: str, kept: bool, tmp_path: Path
) -> None:
    aws = Embedded()
    name = aws.replay(recorded("base"))
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling = aws("application-autoscaling")
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    unscaled = Adoption(aws, name, NO_FILE)
    assert remarks(unscaled)["changes: auto_scaling"] == "instances follow the number of requests in flight"
    assert unscaled.fields["auto_scaling.target_concurrent_requests"] == 32
    scaling.put_scaling_policy(
        **target,
        PolicyName="theirs",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 12.5,
            "PredefinedMetricSpecification": {"PredefinedMetricType": f"SageMakerVariant{metric}"},
            "ScaleInCooldown": 600,
            "ScaleOutCooldown": 30,
        },
    )
    adoption = Adoption(aws, name, NO_FILE)
    scaled = loaded(adoption, tmp_path).auto_scaling
    assert scaled is not None
    assert (scaled.min_instances, scaled.max_instances) == (1, 4)
    found = (scaled.target_concurrent_requests, scaled.scale_out_cooldown_seconds, scaled.scale_in_cooldown_seconds)
    assert (found == (12.5, 30, 600)) == kept
    assert remarks(adoption).get("not kept: scaling policies") == (None if kept else "theirs")


@pytest.mark.parametrize("days", [None, 90])
def test_the_log_groups_retention_is_kept(days: int | None, tmp_path: Path) -> None:
    aws = Embedded()
    group = f"/aws/sagemaker/Endpoints/{(name := aws.replay(recorded('base')))}"
    aws("logs").create_log_group(logGroupName=group)
    aws("logs").create_log_group(logGroupName=f"{group}-2")
    if days:
        aws("logs").put_retention_policy(logGroupName=group, retentionInDays=days)
    adoption = Adoption(aws, name, NO_FILE)
    assert loaded(adoption, tmp_path).removal.log_retention_days == (days or 30)
    told = [one["text"] for one in adoption.remarks if one["what"] == "log group"]
    assert (
        told
        == [f"delete {group} before you deploy under the same endpoint name", "log events expire"][: 2 - bool(days)]
    )


def test_what_common_yaml_sets_and_the_endpoint_lacks_is_taken_back(tmp_path: Path) -> None:
    common = "tgi: {MAX_BEST_OF: 9, MAX_INPUT_LENGTH: 100}\nauto_scaling: {max_instances: 3}\ndata_capture: {}\n"
    (tmp_path / "common.yaml").write_text(common)
    aws, requests = Embedded(), recorded("overridden")
    for one, member in (("CreateModel", "VpcConfig"), ("CreateEndpointConfig", "DataCaptureConfig")):
        del of(requests, one)[member]
    env = loaded(Adoption(aws, aws.replay(requests), tmp_path / "common.yaml"), tmp_path, common)
    assert env.auto_scaling is None
    assert env.data_capture is None
    assert sorted(env.tgi.to_environment()) == ["MAX_CONCURRENT_REQUESTS", "MAX_INPUT_LENGTH", "WAITING_SERVED_RATIO"]
    assert env.launcher_settings().max_input_length == 4096


@pytest.mark.parametrize(
    ("image", "nearest"),
    [
        ("2.0.1-tgi1.0.3-gpu-py39-cu118-ubuntu20.04", "2.1.0"),
        ("2.1.1-tgi1.4.5-gpu-py310-cu121-ubuntu20.04", "2.3.2"),
        ("2.6.0-tgi3.2.3-gpu-py311-cu124-ubuntu22.04", "2.5.0"),
    ],
)
def test_another_tgi_becomes_the_nearest_that_jumpstart_published(image: str, nearest: str) -> None:
    aws, requests = Embedded(), recorded("base")
    container = of(requests, "CreateModel")["PrimaryContainer"]
    container["Image"] = container["Image"].rpartition(":")[0] + f":{image}"
    adoption = Adoption(aws, aws.replay(requests), NO_FILE)
    assert adoption.fields["model_version"] == nearest
    assert remarks(adoption)["changes: image"].startswith(f"{image} becomes ")


def test_versions_that_share_image_and_weights_are_told_apart_by_jumpstarts_tag() -> None:
    aws, requests = Embedded(), recorded("base")
    for version in ("2.0.1", "2.1.0"):
        of(requests, "CreateEndpoint")["Tags"] = [{"Key": "sagemaker-studio:jumpstart-model-version", "Value": version}]
        assert Adoption(aws, aws.replay(requests), NO_FILE).fields["model_version"] == version
    of(requests, "CreateEndpoint")["Tags"] = []
    assert Adoption(aws, aws.replay(requests), NO_FILE).fields["model_version"] == "2.1.0"


def test_a_variable_that_the_launcher_refuses_is_not_kept(tmp_path: Path) -> None:
    aws, requests = Embedded(), recorded("base")
    of(requests, "CreateModel")["PrimaryContainer"]["Environment"] |= {"QUANTIZE": "fp8", "SM_NUM_GPUS": "2"}
    adoption = Adoption(aws, aws.replay(requests), NO_FILE)
    assert loaded(adoption, tmp_path).tgi.to_environment() == {}
    assert "the launcher cannot read it" in remarks(adoption)["not kept: QUANTIZE"]
    [changed] = [what for what in remarks(adoption) if "SM_NUM_GPUS" in what]
    assert remarks(adoption)[changed] == "become JumpStart's for the instance type"


def test_settings_that_environments_have_not_are_named() -> None:
    aws, requests = Embedded(), recorded("base")
    config = of(requests, "CreateEndpointConfig")
    [variant] = config["ProductionVariants"]
    variant |= {"InitialVariantWeight": 3, "InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-2"}
    variant |= {"CoreDumpConfig": {"DestinationS3Uri": "s3://bucket-of-research/core"}, "EnableSSMAccess": True}
    config["ProductionVariants"] = [variant, {**variant, "VariantName": "Canary", "InitialVariantWeight": 1}]
    config["ShadowProductionVariants"] = [{**variant, "VariantName": "Shadow"}]
    told = remarks(Adoption(aws, aws.replay(requests), NO_FILE))
    members = ("ShadowProductionVariants", "CoreDumpConfig", "EnableSSMAccess", "InferenceAmiVersion")
    for member in members:
        assert told[f"not kept: {member}"] == "environment files have no such setting"
    assert told["not kept: variants"] == "Canary: another gets more of the requests"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hub", "its weights, mistralai/Mistral-7B-Instruct-v0.1, are none of JumpStart's Mistral 7B on TGI"),
        ("lmi", "is not huggingface-pytorch-tgi-inference\nfix: the nearest is base 2.5.0, on TGI 2.0.0: write a file"),
    ],
)
def test_other_weights_and_other_containers_are_refused_by_name(name: str, reason: str) -> None:
    aws = Embedded()
    with pytest.raises(UserError) as refused:
        Adoption(aws, aws.replay(RECORDED[name]), NO_FILE)
    assert reason in str(refused.value)
    assert refused.value.status == 1


@pytest.mark.parametrize("tgi", ["2.0.1-tgi1.1.0-patched", "patched"])
def test_weights_and_image_of_ones_own_are_adopted(tgi: str, tmp_path: Path) -> None:
    described = Described(recorded("base"))
    image = f"444455556666.dkr.ecr.us-east-1.amazonaws.com/team/tgi:{tgi}"
    described.model["PrimaryContainer"]["Image"] = image
    described.model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"] = "s3://models/mine/"
    adoption = described.adopt()
    env = loaded(adoption, tmp_path)
    assert (env.image_uri, env.artifact_uri) == (image, "s3://models/mine/")
    assert (env.model, env.version.version) == ("instruct", "2.0.0")
    assert "model: instruct                 # a guess: base or instruct\n" in adoption.text()
    assert "changes: image" not in remarks(adoption)


def test_an_image_of_ones_own_is_adopted_with_jumpstarts_weights(tmp_path: Path) -> None:
    described = Described(recorded("base"))
    image = "444455556666.dkr.ecr.us-east-1.amazonaws.com/team/tgi:tgi1.1.0"
    described.model["PrimaryContainer"]["Image"] = image
    env = loaded(described.adopt(), tmp_path)
    assert (env.image_uri, env.artifact, env.model, env.version.version) == (image, None, "base", "2.1.0")


def test_a_missing_endpoint_or_model_is_named_with_a_fix() -> None:
    aws = Embedded()
    name = aws.replay(RECORDED["base"])
    with pytest.raises(UserError, match=rf"Could not find endpoint .*\nfix: did you mean {name}\?"):
        Adoption(aws, name.upper(), NO_FILE)
    aws("sagemaker").delete_model(ModelName=name)
    with pytest.raises(UserError, match=r"Could not find model .*\nfix: it was deleted after the deployment"):
        Adoption(aws, name, NO_FILE)


class Described:
    """Services that describe an endpoint of the SDK in the shape of their API, which botocore checks."""

    TIMES: dict[str, Any] = dict.fromkeys(("CreationTime", "LastModifiedTime"), 0)

    def __init__(self, requests: Requests) -> None:
        session = boto3.Session("key", "secret", region_name="us-east-1")
        names = ("sagemaker", "application-autoscaling", "logs", "ec2")
        self.stubs = {one: Stubber(session.client(one)) for one in names}
        self.config = of(requests, "CreateEndpointConfig") | {"EndpointConfigArn": "a" * 20, "CreationTime": 0}
        self.model = of(requests, "CreateModel") | {"ModelArn": "a" * 20, "CreationTime": 0}
        [variant] = self.config["ProductionVariants"]
        self.endpoint = {
            **{key: value for key, value in of(requests, "CreateEndpoint").items() if key != "Tags"},
            **self.TIMES,
            "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e",
            "EndpointStatus": "InService",
            "ProductionVariants": [{"VariantName": variant["VariantName"], "DesiredInstanceCount": 3}],
        }
        self.components: list[dict[str, Any]] = []
        for one in (
            request["CreateInferenceComponent"] for request in requests if "CreateInferenceComponent" in request
        ):
            self.component(**one)

    def component(self, **given: Any) -> None:
        """Adds an inference component."""
        copies = {"DesiredCopyCount": given.pop("RuntimeConfig")["CopyCount"]}
        given.pop("Tags", None)
        arns = {"EndpointArn": "a" * 20, "InferenceComponentArn": "a" * 20}
        self.components.append({**given, **arns, **self.TIMES, "RuntimeConfig": copies})

    def adopt(self, denied: bool = False) -> Adoption:
        """Adopts it; the requests and their order are part of what is tested."""
        sagemaker, name = self.stubs["sagemaker"], self.endpoint["EndpointName"]
        sagemaker.add_response("describe_endpoint", self.endpoint, {"EndpointName": name})
        shown = {key: value for key, value in self.config.items() if key != "Tags"}
        sagemaker.add_response("describe_endpoint_config", shown, {"EndpointConfigName": ANY})
        listed = [{key: one[key] for key in ("InferenceComponentName", "VariantName")} for one in self.components]
        summaries = [
            {**one, **self.TIMES, "EndpointName": name, "EndpointArn": "a" * 20, "InferenceComponentArn": "a" * 20}
            for one in listed
        ]
        if "ModelName" not in self.config["ProductionVariants"][0]:
            for page, summary in enumerate(summaries, 1):  # a page each
                more = {"NextToken": str(page)} if page < len(summaries) else {}
                answer = {"InferenceComponents": [summary], **more}
                expected = {"EndpointNameEquals": name} | ({"NextToken": str(page - 1)} if page > 1 else {})
                sagemaker.add_response("list_inference_components", answer, expected)
            if not summaries:
                sagemaker.add_response("list_inference_components", {"InferenceComponents": []})
            for one in self.components:
                sagemaker.add_response("describe_inference_component", one, ANY_COMPONENT)
        if "Container" not in (self.components or [{"Specification": {}}])[0]["Specification"]:
            shown = {key: value for key, value in self.model.items() if key != "Tags"}
            sagemaker.add_response("describe_model", shown, {"ModelName": ANY})
        scaling, logs = self.stubs["application-autoscaling"], self.stubs["logs"]
        if denied:
            sagemaker.add_client_error("list_tags", "AccessDeniedException", "not authorized")
            scaling.add_client_error("describe_scalable_targets", "AccessDeniedException", "not authorized")
            logs.add_client_error("describe_log_groups", "AccessDeniedException", "not authorized")
        else:
            first = [{"Key": "team", "Value": "search"}]
            sagemaker.add_response("list_tags", {"Tags": first, "NextToken": "n"}, {"ResourceArn": ANY})
            second = [{"Key": "sagemaker:domain-arn", "Value": "arn"}]
            sagemaker.add_response("list_tags", {"Tags": second}, {"ResourceArn": ANY, "NextToken": "n"})
            scaling.add_response("describe_scalable_targets", {"ScalableTargets": []})
            logs.add_response("describe_log_groups", {"logGroups": []})
        for stub in self.stubs.values():
            stub.activate()
        return Adoption(lambda service: self.stubs[service].client, name, NO_FILE)


ANY_COMPONENT = {"InferenceComponentName": ANY}


@pytest.mark.parametrize("inside", [False, True], ids=["of a model", "with a container"])
def test_an_inference_component_is_adopted_as_an_endpoint_with_instances(inside: bool, tmp_path: Path) -> None:
    described = Described(recorded("component"))
    [variant], [component] = described.config["ProductionVariants"], described.components
    # As Studio makes it, by the API reference.
    variant["ManagedInstanceScaling"] = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 3}
    variant["RoutingConfig"] = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
    container = described.model["PrimaryContainer"]
    if inside:
        uri = container["ModelDataSource"]["S3DataSource"]["S3Uri"]
        image = {"SpecifiedImage": container["Image"], "ResolvedImage": container["Image"]}
        made = {"DeployedImage": image, "ArtifactUrl": uri, "Environment": container["Environment"]}
        component["Specification"]["Container"] = made
        del component["Specification"]["ModelName"]
    adoption = described.adopt()
    env = loaded(adoption, tmp_path)
    assert env.launcher_settings() == parse_environment(container["Environment"])
    assert (env.model, env.version.version, env.instance.count) == ("instruct", "2.0.0", 3)
    assert env.timeouts.model_download_seconds == 1200
    assert env.instance_bounds == (1, 3)
    assert env.tags == {"team": "search"}
    told = remarks(adoption)
    assert told["changes: copies"] == "2 become one on each instance, on all GPUs"
    assert told["changes: callers"] == f"they leave out InferenceComponentName={component['InferenceComponentName']}"
    assert "changes: routing" not in told
    assert told["not kept: sagemaker:domain-arn"] == "tags of AWS's tools"


@pytest.mark.parametrize(("number", "told"), [(0, "0 inference components: none"), (2, "2 inference components: a, b")])
def test_more_or_less_than_one_inference_component_is_refused(number: int, told: str) -> None:
    described = Described(recorded("component"))
    [only] = described.components
    adapter = {**only["Specification"], "BaseInferenceComponentName": "a"}
    others = [{**only, "InferenceComponentName": name} for name in ("a", "b")[:number]]
    described.components = [*others, {**only, "InferenceComponentName": "adapter", "Specification": adapter}]
    with pytest.raises(UserError, match=told):
        described.adopt()


def several_containers(described: Described) -> None:
    container = described.model.pop("PrimaryContainer")
    described.model["Containers"] = [container, container]


def model_package(described: Described) -> None:
    package = "arn:aws:sagemaker:us-east-1:865070037744:model-package/mistral-7b"
    described.model["PrimaryContainer"] = {"ModelPackageName": package}


def multi_model(described: Described) -> None:
    described.model["PrimaryContainer"] |= {"Mode": "MultiModel", "ModelDataUrl": "s3://models/all/"}


def serverless(described: Described) -> None:
    described.config["ProductionVariants"][0]["ServerlessConfig"] = {"MemorySizeInMB": 6144, "MaxConcurrency": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (several_containers, "has, in place of one image and its weights, 2 containers"),
        (model_package, "weights, arn:aws:sagemaker:us-east-1:865070037744:model-package/mistral-7b"),
        (multi_model, "weights, many models, under s3://models/all/"),
        (serverless, "it is serverless"),
    ],
)
def test_what_no_environment_describes_is_refused_by_name(change: Callable[[Described], None], reason: str) -> None:
    described = Described(recorded("base"))
    change(described)
    with pytest.raises(UserError) as refused:
        described.adopt()
    assert reason in str(refused.value)
    assert "\nfix: write a file of your own" in str(refused.value)


def test_what_the_credentials_may_not_read_is_said_and_the_rest_is_adopted() -> None:
    adoption = Described(recorded("base")).adopt(denied=True)
    denied = "the credentials do not allow it"
    assert {what: told for what, told in remarks(adoption).items() if what.startswith("not read")} == {
        "not read: sagemaker:ListTags": denied,
        "not read: application-autoscaling:DescribeScalableTargets": denied,
        "not read: logs:DescribeLogGroups": denied,
    }
    assert adoption.fields["model_version"] == "2.1.0"


def test_a_failed_update_and_a_network_of_ones_own_are_said() -> None:
    described = Described(recorded("overridden"))
    described.endpoint["FailureReason"] = "no capacity"
    told = remarks(described.adopt())
    assert told["not kept: failed update"] == "no capacity"
    assert told["changes: network"] == "subnet-0000000a, subnet-0000000b become those of a new VPC; " + (
        "network.existing_vpc keeps them"
    )
