import pytest

from sagemaker_tgi import EcrImage

REPOSITORY = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference"


@pytest.mark.parametrize(
    "uri",
    [
        f"{REPOSITORY}:2.0.1-tgi1.1.0-gpu-py39-cu118-ubuntu20.04",
        f"{REPOSITORY}@sha256:{'0123456789abcdef' * 4}",
    ],
)
def test_an_image_has_the_account_region_and_repository_of_its_uri(uri: str) -> None:
    image = EcrImage.from_uri(uri)
    assert (image.account, image.region) == ("763104351884", "us-east-1")
    assert (image.repository, image.uri) == ("huggingface-pytorch-tgi-inference", uri)


def test_an_image_in_china_has_another_host_name() -> None:
    image = EcrImage.from_uri("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/team/tgi:1")
    assert (image.region, image.repository) == ("cn-north-1", "team/tgi")


@pytest.mark.parametrize("uri", ["tgi:latest", REPOSITORY, f"{REPOSITORY}:", "ghcr.io/huggingface/tgi:1.1.0"])
def test_a_uri_that_is_no_tagged_ecr_image_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="is no ECR image"):
        EcrImage.from_uri(uri)
