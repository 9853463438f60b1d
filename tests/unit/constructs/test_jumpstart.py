"""JumpStart's models by region, from the data that comes with the constructs."""

import aws_cdk as cdk
import pytest

from mistral7b import catalog
from sagemaker_tgi import InvalidPropsError, JumpStartMistral

HELPERS = {"base": JumpStartMistral.base, "instruct": JumpStartMistral.instruct}


@pytest.fixture(scope="module")
def stacks() -> dict[str, cdk.Stack]:
    app = cdk.App(builtin_cloud_formation_validation=False)
    return {name: cdk.Stack(app, name, env=cdk.Environment(region=name)) for name in catalog.regions()}


@pytest.mark.parametrize("model", catalog.models(), ids=lambda model: model.name)
def test_image_weights_and_settings_are_the_catalogues_in_every_region(
    model: catalog.Model, stacks: dict[str, cdk.Stack]
) -> None:
    for version in model.versions:
        for region in version.regions:
            found = HELPERS[model.name](stacks[region], version=version.version)
            assert (found.image.uri, found.artifact.uri) == (version.image_uri(region), version.artifact_uri(region))
            assert found.environment == version.environment("ml.g5.2xlarge")


@pytest.mark.parametrize("model", catalog.models(), ids=lambda model: model.name)
def test_the_default_version_is_the_catalogues(model: catalog.Model, stacks: dict[str, cdk.Stack]) -> None:
    found = HELPERS[model.name](stacks["us-east-1"])
    assert found.artifact.uri == model.default_version.artifact_uri("us-east-1")
    assert found.image.uri == model.default_version.image_uri("us-east-1")


def test_every_gpu_of_an_instance_is_used(stacks: dict[str, cdk.Stack]) -> None:
    found = JumpStartMistral.instruct(stacks["us-east-1"], instance_type="ml.g5.12xlarge")
    assert found.environment["SM_NUM_GPUS"] == "4"


@pytest.mark.parametrize(
    ("region", "props", "problem"),
    [
        (None, {}, 'region of the stack=None: decides on image and weights; set it: env=cdk.Environment(region="us-'),
        ("us-gov-west-1", {}, "region of the stack='us-gov-west-1': does not have version 2.0.0; use one of af-south"),
        ("us-east-1", {"version": "9"}, "version='9': is none that runs on TGI; use one of 1.0.0"),
        ("us-east-1", {"instance_type": "ml.g4dn.xlarge"}, "='ml.g4dn.xlarge': is not offered; use one of ml.g5.2x"),
    ],
)
def test_an_unpublished_version_region_or_instance_type_is_refused(
    region: str | None, props: dict[str, str], problem: str
) -> None:
    stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(region=region))
    with pytest.raises(InvalidPropsError) as error:
        JumpStartMistral.instruct(stack, **props)
    assert problem in str(error.value)
