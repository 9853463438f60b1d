"""Parity with SageMaker JumpStart: what the templates deploy is what JumpStart publishes, to the letter.

One side is mistral7b/catalog/jumpstart.json, from which the expectation is worked out here, without the code of
mistral7b.catalog. The other is the synthesized CloudFormation of environment files.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock, patch

import aws_cdk as cdk
import hypothesis
import pytest
import yaml
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from mistral7b.environment import EnvironmentFileError, load_environments
from mistral7b_stacks.endpoint import EndpointStack
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import PrivateTgiEndpoint
from tests.variants import context

ROOT = Path(__file__).parents[3]
FACTS = json.loads((ROOT / "mistral7b" / "catalog" / "jumpstart.json").read_text(encoding="utf-8"))

JUMPSTART_IDS = {"base": "huggingface-llm-mistral-7b", "instruct": "huggingface-llm-mistral-7b-instruct"}
REGIONS = sorted(FACTS["image_account_by_region"])
ALL = hypothesis.settings.get_current_profile_name() == "all"
"""Whether to synthesize every combination (`make test-all`), or every pair that a field depends on (`make test`)."""
# Amazon EC2 instance type pages of the G4, G5 and P4 families.
GPUS = {
    **dict.fromkeys(("ml.g5.2xlarge", "ml.g5.4xlarge", "ml.g5.8xlarge", "ml.g5.16xlarge"), 1),
    **dict.fromkeys(("ml.g4dn.12xlarge", "ml.g5.12xlarge", "ml.g5.24xlarge"), 4),
    **dict.fromkeys(("ml.g5.48xlarge", "ml.p4d.24xlarge", "ml.p4de.24xlarge"), 8),
}


class Combination(NamedTuple):
    """One thing to deploy. Without `named_type` the environment file leaves the instance type to the default."""

    model: str
    version: str
    region: str
    named_type: str | None

    @property
    def release(self) -> dict[str, Any]:
        """What JumpStart publishes as this version."""
        [release] = [r for r in FACTS["models"][JUMPSTART_IDS[self.model]] if r["version"] == self.version]
        assert isinstance(release, dict)
        return release

    @property
    def instance_type(self) -> str:
        return self.named_type or str(self.release["default_instance_type"])

    @property
    def settings(self) -> dict[str, Any]:
        """The environment file."""
        instance = {"instance": {"type": self.named_type}} if self.named_type else {}
        return {"model": self.model, "model_version": self.version, "region": self.region, **instance}

    def __str__(self) -> str:
        default = "" if self.named_type else " (default)"
        return f"{JUMPSTART_IDS[self.model]} {self.version} in {self.region} on {self.instance_type}{default}"


def releases() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each model's name with each of its published versions."""
    for model, jumpstart_id in JUMPSTART_IDS.items():
        yield from ((model, release) for release in FACTS["models"][jumpstart_id])


def combinations(region: str, *, every: bool = ALL) -> list[Combination]:
    """What to synthesize in `region`: every version there is, on every instance type it is offered on.

    Image and artifact depend on version and region, variables on version and instance type. Unless it has to be every
    combination, each region gets the next of a version's types.

    The default instance type is the one that the file leaves out. A file that names it, and the types that a version is
    configured for without being offered on them, differ by nothing that depends on the region: each takes its turn
    in one of the version's regions.
    """
    found = []
    for model, release in releases():
        offered, default = release["instance_types"], release["default_instance_type"]
        in_turn = [default, *(t for t in release["instance_environment"] if t not in offered)]
        turns = [t for i, t in enumerate(in_turn) if release["regions"][i] == region]
        if region in release["regions"]:
            types = [None, *(t for t in offered if t != default)]
            if not every:
                types = [types[release["regions"].index(region) % len(types)]]
            types += [t for t in turns if t not in types]
            found += [Combination(model, release["version"], region, named_type) for named_type in types]
    return found


def published(combination: Combination) -> dict[str, Any]:
    """What JumpStart deploys, as fields of AWS::SageMaker::Model and AWS::SageMaker::EndpointConfig."""
    release, region = combination.release, combination.region
    registry = f"{FACTS['image_account_by_region'][region]}.dkr.ecr.{region}.amazonaws.com"
    suffix = ".cn" if region.startswith("cn-") else ""
    archive = release["artifact_key"].endswith(".tar.gz")
    gpus = str(GPUS[combination.instance_type])
    return {
        "Image": f"{registry}{suffix}/{FACTS['image_repository']}:{release['image_tag']}",
        "ModelDataSource.S3DataSource.S3Uri": f"s3://jumpstart-cache-prod-{region}/{release['artifact_key']}",
        "ModelDataSource.S3DataSource.S3DataType": "S3Object" if archive else "S3Prefix",
        "ModelDataSource.S3DataSource.CompressionType": "Gzip" if archive else "None",
        **{f"Environment.{name}": value for name, value in FACTS["environment"].items()},
        **{
            f"Environment.{name}": value
            for name, value in release["instance_environment"].get(combination.instance_type, {}).items()
        },
        "Environment.SM_NUM_GPUS": gpus,
        "InstanceType": combination.instance_type,
    }


def deployed(template: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields, and any other field of the container, as the template has them."""
    [model] = [r for r in template["Resources"].values() if r["Type"] == "AWS::SageMaker::Model"]
    [config] = [r for r in template["Resources"].values() if r["Type"] == "AWS::SageMaker::EndpointConfig"]
    [variant] = config["Properties"]["ProductionVariants"]
    return {
        **dict(flatten(model["Properties"]["PrimaryContainer"])),
        "InstanceType": variant["InstanceType"],
    }


def flatten(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Fields by their dotted paths."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def differences(combination: Combination, template: Mapping[str, Any]) -> list[str]:
    """A line for each field in which the template is not what JumpStart publishes."""
    ours, theirs = deployed(template), published(combination)
    return [
        f"{combination}: {field} is {ours.get(field)!r}, JumpStart's {theirs.get(field)!r}"
        for field in sorted(ours.keys() | theirs.keys())
        if ours.get(field) != theirs.get(field)
    ]


def write_files(folder: Path, region: str, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes environment files with an existing network and key: what is compared does not depend on them."""
    folder.mkdir()
    existing = {
        "vpc_id": "vpc-0123456789abcdef0",
        "cidr": "10.0.0.0/16",
        "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "availability_zones": [f"{region}a", f"{region}b"],
    }
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    key = f"arn:{partition}:kms:{region}:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
    common = {
        "region": region,
        "network": {"s3_prefix_list_id": "pl-0123456789abcdef0", "runtime_endpoint": False, "existing_vpc": existing},
        "encryption": {"kms_key_arn": key},
    }
    (folder / "common.yaml").write_text(yaml.safe_dump(common), encoding="utf-8")
    for name, settings in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(dict(settings)), encoding="utf-8")


@contextmanager
def model_and_config_alone(stage: EnvironmentStage) -> Iterator[None]:
    """Leaves out of endpoint stacks what no comparison reads: it would take half the time.

    Role and network are one for all; endpoint, outputs and findings that are accepted are left out.
    """
    role = iam.Role.from_role_arn(stage.endpoint, "SharedRole", "arn:aws:iam::111122223333:role/model")
    network = stage.endpoint.node.find_child("Network")
    group = ec2.SecurityGroup.from_security_group_id(stage.endpoint, "SharedGroup", "sg-0123456789abcdef0")
    with (
        patch("mistral7b_stacks.endpoint.PrivateNetwork", return_value=network),
        patch.object(network, "model_security_group", Mock(security_group=group)),
        patch("mistral7b_stacks.endpoint.PrivateTgiEndpoint", partial(PrivateTgiEndpoint, role=role)),
        patch("sagemaker_tgi.private_tgi_endpoint.TgiEndpoint"),
        patch.object(EndpointStack, "_import_vpc"),
        patch.object(EndpointStack, "_publish_outputs"),
        patch.object(cdk.Validations, "acknowledge"),
    ):
        yield


def endpoint_templates(folder: Path, region: str, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Synthesizes environment files of one region: the template of each one's endpoint stack, by the file's name.

    The first is a stage like any other; the others' endpoint stacks join it, with whatever that stage has handed to
    its own, and have what is compared alone: one network for all, and a synth of the stage without the app's compliance
    packs, are quicker by half, too.
    """
    write_files(folder / "environments", region, files)
    first, *others = load_environments(folder / "environments").values()
    app = cdk.App(
        context=context(),
        outdir=str(folder / "cdk.out"),
        analytics_reporting=False,
        stack_traces=False,
        tree_metadata=False,
        builtin_cloud_formation_validation=False,
    )
    with patch("mistral7b_stacks.stage.EndpointStack", wraps=EndpointStack) as constructor:
        stage = EnvironmentStage(app, environment=first)
    props = constructor.call_args.kwargs
    stacks: dict[str, cdk.Stack] = {first.name: stage.endpoint}
    with model_and_config_alone(stage):
        for environment in others:
            stacks[environment.name] = EndpointStack(stage, environment.name, **{**props, "environment": environment})
    stage.synth()
    return {
        name: json.loads((Path(stage.outdir) / stack.template_file).read_text(encoding="utf-8"))
        for name, stack in stacks.items()
    }


@pytest.mark.parametrize("region", REGIONS)
def test_every_combination_is_deployed_as_jumpstart_publishes_it(region: str, tmp_path: Path) -> None:
    """Image and artifact are those of the version. Source: JumpStart.

    `make test` takes every version in every region and on every instance type, `make test-all` every combination.
    """
    by_name = {f"e{i}": combination for i, combination in enumerate(combinations(region))}
    templates = endpoint_templates(tmp_path, region, {n: c.settings for n, c in by_name.items()})
    assert templates.keys() == by_name.keys()
    found = [line for name, combination in by_name.items() for line in differences(combination, templates[name])]
    assert not found, f"{len(found)} differences\n" + "\n".join(found)


def test_no_published_combination_is_left_out_of_the_comparison() -> None:
    compared = {(c.model, c.version, c.region, c.instance_type) for r in REGIONS for c in combinations(r, every=True)}
    offered = offered_combinations()
    assert len(offered) >= 1728  # as many as there were in 2024
    assert offered - compared == set()
    configured = {(m, r["version"], t) for m, r in releases() for t in r["instance_environment"]}
    assert configured - {(model, version, instance_type) for model, version, _, instance_type in compared} == set()


def test_no_version_is_left_out_in_a_region_or_on_an_instance_type() -> None:
    compared = [c for region in REGIONS for c in combinations(region, every=False)]
    offered = offered_combinations()
    assert {(m, v, r) for m, v, r, _ in offered} == {(c.model, c.version, c.region) for c in compared}
    assert {(m, v, t) for m, v, _, t in offered} <= {(c.model, c.version, c.instance_type) for c in compared}
    left_out = {(m, r["version"], r["default_instance_type"]) for m, r in releases()}  # by the file
    assert left_out <= {(c.model, c.version, c.instance_type) for c in compared if c.named_type is None}
    configured = {(m, r["version"], t) for m, r in releases() for t in r["instance_environment"]}
    assert configured <= {(c.model, c.version, c.instance_type) for c in compared}


def offered_combinations() -> set[tuple[str, str, str, str]]:
    """Model, version, region and instance type of everything that JumpStart offers."""
    return {
        (model, release["version"], region, instance_type)
        for model, release in releases()
        for region in release["regions"]
        for instance_type in release["instance_types"]
    }


@pytest.mark.parametrize(("model", "version"), [("base", "2.1.0"), ("instruct", "2.0.0")])
def test_a_file_that_names_no_version_takes_the_newest_on_tgi_1_1_0(model: str, version: str, tmp_path: Path) -> None:
    [template] = endpoint_templates(tmp_path, "us-east-1", {"dev": {"model": model}}).values()
    assert differences(Combination(model, version, "us-east-1", None), template) == []
    # Versions before it have the same image and artifact: which one it is shows only before the synth.
    assert load_environments(tmp_path / "environments")["dev"].version.version == version
    on_1_1_0 = [r["version"] for m, r in releases() if m == model and "-tgi1.1.0-" in r["image_tag"]]
    assert max(on_1_1_0, key=lambda v: [int(part) for part in v.split(".")]) == version


def test_a_file_that_names_nothing_but_the_region_deploys_the_default_instruct_model(tmp_path: Path) -> None:
    [template] = endpoint_templates(tmp_path, "eu-west-1", {"dev": {}}).values()
    assert differences(Combination("instruct", "2.0.0", "eu-west-1", None), template) == []


def refused(folder: Path, wrong: list[Combination], field: str) -> set[str]:
    """Those of `wrong` whose environment file is refused on account of `field`."""
    by_name = {f"e{i}": combination for i, combination in enumerate(wrong)}
    write_files(folder, "us-east-1", {name: combination.settings for name, combination in by_name.items()})
    with pytest.raises(EnvironmentFileError) as error:
        load_environments(folder)
    return {str(by_name[Path(problem.file).stem]) for problem in error.value.problems if problem.field == field}


def test_a_region_without_the_version_is_refused(tmp_path: Path) -> None:
    wrong = [
        Combination(model, release["version"], region, None)
        for model, release in releases()
        for region in REGIONS
        if region not in release["regions"]
    ]
    assert refused(tmp_path / "environments", wrong, "region") == {str(c) for c in wrong}


def test_an_instance_type_that_jumpstart_does_not_configure_is_refused(tmp_path: Path) -> None:
    wrong = [
        Combination(model, release["version"], "us-east-1", instance_type)
        for model, release in releases()
        for instance_type in GPUS
        if instance_type not in (*release["instance_types"], *release["instance_environment"])
    ]
    assert refused(tmp_path / "environments", wrong, "instance.type") == {str(c) for c in wrong}
