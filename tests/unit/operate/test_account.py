"""The checks of an environment, each on the embedded AWS or, where a permission is missing, on stubs."""

import io
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from mistral7b.catalog.models import ModelVersion
from mistral7b.container import start
from mistral7b.operate.account import CHECKS
from mistral7b.operate.reads import permissions
from sagehost import hosting, moto_app, quotas
from sagehost.hosting.settings import HostingSettings
from tests.unit.fresh_accounts import fresh_account
from tests.unit.operate.embedded import REGION, SCALING_ROLE, environment, found, named, target

NAME = "mistral-7b-instruct-dev"
QUOTA = "L-9614C779"
STACK = "mistral-7b-dev-endpoint"


@pytest.fixture(scope="module", autouse=True)
def _embedded() -> None:
    containers = {"huggingface-pytorch-tgi-inference": lambda: start}
    hosting.install(HostingSettings(), containers=containers, later=lambda work: work())


@pytest.fixture
def account() -> str:
    return fresh_account()


def client(service: str, account: str) -> Any:
    return moto_app.client(service, account, REGION)


def run_endpoint(account: str, name: str, kind: str, count: int, *, scaled: bool = False) -> None:
    """Has an endpoint of so many instances run."""
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam", account).create_role(RoleName=f"of-{name}", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    image = f"{account}.dkr.ecr.{REGION}.amazonaws.com/huggingface-pytorch-tgi-inference:1"
    sagemaker = client("sagemaker", account)
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    variant = {"VariantName": "v", "ModelName": name, "InstanceType": kind, "InitialInstanceCount": count}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    if scaled:
        client("application-autoscaling", account).register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{name}/variant/v",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=1,
            MaxCapacity=4,
        )


SCALING = {"auto_scaling": {"max_instances": 3}}
ROLLING = {"alarms": {}, "instance": {"count": 4}, "updates": {"strategy": "rolling"}}


@pytest.mark.parametrize(
    ("fields", "running", "quota", "outcome", "figures"),
    [
        ({}, (0, 0), 2, "ok", "is 2; other endpoints run 0, this one needs 1 now and up to 2"),
        ({}, (0, 0), 1, "warning", "is 1; other endpoints run 0, this one needs 1 now and up to 2"),
        ({}, (0, 1), 1, "failure", "is 1; other endpoints run 1, this one needs 1 now and up to 2"),
        (SCALING, (0, 0), 5, "warning", "is 5; other endpoints run 0, this one needs 1 now and up to 6"),
        (SCALING, (3, 0), 6, "ok", "is 6; other endpoints run 0, this one needs 6 now and up to 6"),
        (SCALING, (3, 1), 6, "warning", "is 6; other endpoints run 1, this one needs 6 now and up to 6"),
        ({"instance": {"count": 2}}, (1, 0), 2, "warning", "this one needs 3 now and up to 4"),
        (ROLLING, (4, 0), 5, "ok", "this one needs 5 now and up to 5"),
        (ROLLING, (0, 0), 5, "ok", "this one needs 4 now and up to 5"),
    ],
)
def test_the_quota_is_compared_with_what_deployment_updates_and_scaling_need(
    fields: Any, running: tuple[int, int], quota: int, outcome: str, figures: str
) -> None:
    """Instances of a type in all endpoints of an account and region; an update takes twice as many, a rolling one a
    batch more. Source: SageMaker quotas; SageMaker developer guide, blue/green deployments and rolling deployments.
    """
    account, others = fresh_account(), running[1]
    for name, count in zip((NAME, "another"), running, strict=True):
        if count:
            run_endpoint(account, name, "ml.g5.2xlarge", count)
    run_endpoint(account, "of-another-type", "ml.g5.4xlarge", 7)
    quotas.APPLIED[account, REGION, QUOTA] = quota
    [finding] = found("quota", account, environment(**fields))
    assert (finding.outcome, figures in finding.found) == (outcome, True)
    wanted = others + 2 * (3 if fields == SCALING else 2 if fields else 1)
    assert finding.fix.endswith(f"--desired-value {wanted} --region {REGION}") is (outcome != "ok")


def test_without_an_applied_quota_the_default_counts(account: str) -> None:
    stubs = Stubs("service-quotas", "sagemaker")
    stubs["sagemaker"].add_response("list_endpoints", {"Endpoints": []})
    stubs["service-quotas"].add_client_error("get_service_quota", "NoSuchResourceException")
    stubs["service-quotas"].add_response("get_aws_default_service_quota", {"Quota": {"Value": 0.0}})
    [finding] = named("quota")(target(account, environment(), stubs.client))
    assert (finding.outcome, "for endpoint usage is 0;" in finding.found) == ("failure", True)


@pytest.mark.parametrize(
    ("now", "scaled", "outcome"), [("4xlarge", True, "failure"), ("2xlarge", True, "ok"), ("4xlarge", False, "ok")]
)
@pytest.mark.parametrize("fields", [{}, SCALING])
def test_another_type_for_a_variant_that_scales_fails_with_a_fix_in_two_steps(
    now: str, scaled: bool, outcome: str, fields: Any, account: str
) -> None:
    """A variant that scales keeps its instance type: no template can tell, so what is deployed is asked before a
    deployment, by the commands doctor and pipeline check. Source: SageMaker developer guide, "Update endpoints that
    use automatic scaling".
    """
    run_endpoint(account, NAME, f"ml.g5.{now}", 1, scaled=scaled)
    [finding] = found("scaling", account, environment(**fields))
    assert finding.outcome == outcome
    fix = "deploy ml.g5.4xlarge with auto_scaling: null, then ml.g5.2xlarge with the auto_scaling that you want"
    assert finding.fix == (fix if outcome == "failure" else "")


def test_zones_where_ec2_lacks_the_type_are_a_warning(account: str) -> None:
    zones = {"vpc": {"availability_zones": ["use1-az1", "use1-az3"]}}
    [finding] = found("zones", account, environment(network=zones))
    assert (finding.outcome, finding.field) == ("warning", "network.vpc.availability_zones")
    assert "does not offer g5.2xlarge in use1-az3" in finding.found
    assert finding.fix == "use zones of use1-az1, use1-az2, use1-az4, use1-az5, use1-az6"


def test_zones_may_be_given_by_the_accounts_names_for_them(account: str) -> None:
    shown = client("ec2", account).describe_availability_zones()["AvailabilityZones"]
    names = {one["ZoneId"]: one["ZoneName"] for one in shown}
    for other, outcome in (("use1-az2", "ok"), ("use1-az3", "warning")):
        zones = {"vpc": {"availability_zones": [names["use1-az1"], names[other]]}}
        assert [one.outcome for one in found("zones", account, environment(network=zones))] == [outcome]


def test_the_role_of_scaling_is_a_warning_until_its_fix_has_made_it(account: str) -> None:
    assert [one.outcome for one in found("roles", account, environment())] == ["ok"]
    [finding] = found("roles", account, environment(**SCALING))
    assert (finding.outcome, SCALING_ROLE in finding.found) == ("warning", True)
    service = finding.fix.split()[-1]
    client("iam", account).create_service_linked_role(AWSServiceName=service)
    assert [one.outcome for one in found("roles", account, environment(**SCALING))] == ["ok"]


@pytest.mark.parametrize("promoted", [True, False])
def test_a_role_of_others_is_a_taken_name_where_a_pipeline_makes_one(promoted: bool, account: str) -> None:
    role = "mistral-7b-dev-gate"
    client("iam", account).create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    [finding] = found("names", account, environment(), roles=(role,) if promoted else ())
    assert (finding.outcome, role in finding.found) == (("failure", True) if promoted else ("ok", False))


@pytest.mark.parametrize("attribute", ["image_uri", "artifact_uri"])
def test_what_is_not_published_fails(attribute: str, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"image_uri": f"763104351884.dkr.ecr.{REGION}.amazonaws.com/no/such:1", "artifact_uri": "s3://no-such/m/"}
    name = {"image_uri": "image", "artifact_uri": "weights"}[attribute]
    assert [one.outcome for one in found(name, account, environment())] == ["ok"]
    monkeypatch.setattr(ModelVersion, attribute, lambda *_: other[attribute])
    [finding] = found(name, account, environment())
    assert (finding.outcome, finding.field, finding.value) == ("failure", "model_version", "2.0.0")
    assert other[attribute] in finding.found


CONFIG = {
    "architectures": ["MistralForCausalLM"],
    "model_type": "mistral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 32000,
    "torch_dtype": "bfloat16",
}
"""Of mistralai/Mistral-7B-v0.1, what counts of it."""
FILES = {"tokenizer.json": 1_795_303, "model-00001-of-00002.safetensors": 9_942_981_696}
FILES |= {"model-00002-of-00002.safetensors": 4_540_516_344, "config.json": 571}


def weights(account: str, files: dict[str, int], config: object = CONFIG) -> list[tuple[str, str]]:
    """What doctor finds in a prefix with files of these sizes, which no test could store."""
    stubs = Stubs("s3")
    where = {"Bucket": "models", "ExpectedBucketOwner": account}
    listed = {"Contents": [{"Key": f"mine/1/{name}", "Size": size} for name, size in files.items()]}
    stubs["s3"].add_response("list_objects_v2", listed, {**where, "Prefix": "mine/1/", "Delimiter": "/"})
    if "config.json" in files:
        body = config if isinstance(config, bytes) else json.dumps(config).encode()
        answer = {"Body": StreamingBody(io.BytesIO(body), len(body))}
        stubs["s3"].add_response("get_object", answer, {**where, "Key": "mine/1/config.json"})
    else:
        stubs["s3"].add_client_error("get_object", "NoSuchKey")
    env = environment(artifact={"uri": "s3://models/mine/1/"})
    return [(one.outcome, one.found) for one in named("weights")(target(account, env, stubs.client))]


def test_the_files_of_a_fine_tuned_mistral_7b_are_ok(account: str) -> None:
    assert weights(account, FILES) == [("ok", "they are there and can be read")]


@pytest.mark.parametrize(
    ("files", "config", "outcome", "reason"),
    [
        ({"model-00002-of-00002.safetensors": None}, CONFIG, "failure", "*.safetensors have 9.9 GB"),
        ({"config.json": None}, CONFIG, "failure", "there is no config.json"),
        ({"tokenizer.json": None}, CONFIG, "failure", "there is no tokenizer.json"),
        ({"tokenizer.json": None, "tokenizer.model": 493_443}, CONFIG, "warning", "there is no tokenizer.json"),
        ({"model.safetensors": 28_966_928_384}, CONFIG, "warning", "Mistral 7B in half precision 14.5 GB"),
        ({}, b"{", "failure", "it is not a JSON object"),
        ({}, ["a list"], "failure", "it is not a JSON object"),
        ({}, CONFIG | {"architectures": ["LlamaForCausalLM"]}, "failure", "architectures ['LlamaForCausalLM']"),
        ({}, CONFIG | {"num_hidden_layers": 40}, "failure", "num_hidden_layers 40, not 32"),
        ({}, CONFIG | {"quantization_config": {"bits": 4}}, "failure", "quantization_config {'bits': 4}"),
        ({}, CONFIG | {"vocab_size": 32768}, "warning", "vocab_size 32768, not 32000"),
    ],
)
def test_what_is_wrong_with_own_weights_is_named(
    files: dict[str, int | None], config: object, outcome: str, reason: str, account: str
) -> None:
    there = {name: size for name, size in {**FILES, **files}.items() if size is not None}
    [(found_outcome, found_reason)] = weights(account, there, config)
    assert (found_outcome, reason in found_reason) == (outcome, True)


@pytest.mark.parametrize("uri", ["s3://{}/mine/", "s3://{}/mine.tar.gz"])
def test_own_weights_that_are_not_there_fail(uri: str, account: str) -> None:
    uri = uri.format(f"models-{account}")
    for made in (False, True):
        if made:
            client("s3", account).create_bucket(Bucket=f"models-{account}")
        findings = found("weights", account, environment(artifact={"uri": uri}))
        assert {(one.outcome, one.field, one.value) for one in findings} == {("failure", "artifact.uri", uri)}
        assert " 0.0 GB" in findings[0].found


@pytest.mark.parametrize(("size", "outcome"), [(11_500_000_000, "ok"), (80_000_000, "failure")])
def test_of_an_archive_the_size_is_checked(size: int, outcome: str, account: str) -> None:
    stubs = Stubs("s3")
    stubs["s3"].add_response("list_objects_v2", {"Contents": [{"Key": "mine.tar.gz", "Size": size}]})
    env = environment(artifact={"uri": "s3://models/mine.tar.gz"})
    assert [one.outcome for one in named("weights")(target(account, env, stubs.client))] == [outcome]


def test_the_owner_of_what_is_another_accounts_is_named(account: str) -> None:
    other = fresh_account()
    env = environment(
        artifact={"uri": "s3://models/mine.tar.gz", "account": other},
        image={"uri": f"{other}.dkr.ecr.{REGION}.amazonaws.com/team/tgi:1"},
    )
    for check, what in (("weights", "bucket"), ("image", "repository")):
        first = found(check, account, env)[0]
        assert first.outcome == "ok"
        assert f"the policy of {other}'s {what} has to let {account} in" in first.found


@pytest.mark.parametrize("by_digest", [False, True])
def test_an_own_image_is_there_once_it_is_pushed(by_digest: bool, account: str) -> None:
    ecr, digest = client("ecr", account), f"sha256:{'0' * 64}"
    for pushed in (False, True):
        if pushed:
            ecr.create_repository(repositoryName="team/tgi")
            manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})
            stored = ecr.put_image(repositoryName="team/tgi", imageManifest=manifest, imageTag="1")["image"]
            digest = stored["imageId"]["imageDigest"]
        image = f"{account}.dkr.ecr.{REGION}.amazonaws.com/team/tgi{f'@{digest}' if by_digest else ':1'}"
        [finding] = found("image", account, environment(image={"uri": image}))
        assert (finding.outcome, finding.field) == (("ok", "") if pushed else ("failure", "image.uri"))


class Stubs(dict[str, Stubber]):
    """Services that answer what they are told and nothing else."""

    def __init__(self, *services: str) -> None:
        session = boto3.Session("key", "secret", region_name=REGION)
        super().__init__({one: Stubber(session.client(one)) for one in services})
        for one in self.values():
            one.activate()

    def client(self, service: str) -> Any:
        return self[service].client


@pytest.mark.parametrize(
    ("status", "outcome", "fix"),
    [
        ("CREATE_COMPLETE", "ok", ""),
        ("ROLLBACK_COMPLETE", "ok", ""),
        ("REVIEW_IN_PROGRESS", "ok", ""),
        ("UPDATE_IN_PROGRESS", "warning", "aws cloudformation describe-stacks"),
        ("DELETE_FAILED", "failure", "aws cloudformation delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", "failure", "aws cloudformation continue-update-rollback"),
    ],
)
def test_a_stack_that_cannot_be_updated_fails(status: str, outcome: str, fix: str, account: str) -> None:
    stubs = Stubs("cloudformation")
    stack = {"StackName": STACK, "CreationTime": 0, "StackStatus": status}
    stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
    stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", "Stack does not exist")
    [finding] = named("stacks")(target(account, environment(), stubs.client))
    assert (finding.outcome, finding.fix) == (outcome, fix and f"{fix} --stack-name {STACK} --region {REGION}")


def test_a_missing_permission_is_named_and_the_rest_is_checked(account: str) -> None:
    stubs = Stubs("service-quotas", "sagemaker")
    for _ in ("names", "quota"):
        stubs["sagemaker"].add_client_error("list_endpoints", "AccessDeniedException", "not authorized")
    own = target(account, environment(), lambda one: stubs.client(one) if one in stubs else client(one, account))
    outcomes = {one.name: [(each.outcome, each.found) for each in one(own)] for one in CHECKS}
    assert outcomes["quota"] == [("not checked", "needs sagemaker:ListEndpoints")]
    assert outcomes["roles"] == [("ok", "every role that the deployment takes is there")]


def test_a_service_that_does_not_answer_is_not_checked(account: str) -> None:
    def unreachable(service: str) -> Any:
        raise EndpointConnectionError(endpoint_url=f"https://{service}.{REGION}.amazonaws.com")

    [finding] = named("image")(target(account, environment(), unreachable))
    assert (finding.outcome, "ecr.us-east-1" in finding.found) == ("not checked", True)


def test_every_action_of_the_checks_reads() -> None:
    actions = {one for _, _, actions in permissions(environment(), "aws", "1" * 12, REGION) for one in actions}
    verbs = ("Describe", "Get", "List", "BatchGet")
    assert {one for one in actions if not one.partition(":")[2].startswith(verbs)} == set()
