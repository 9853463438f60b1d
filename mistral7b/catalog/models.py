"""Models and their versions as SageMaker JumpStart publishes them."""

import re
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from mistral7b.catalog.data import load

ModelName = Literal["base", "instruct"]

# The TGI release whose rules and behaviour this project knows (mistral7b.tgi); defaults stay on it.
SUPPORTED_TGI_VERSION = "1.1.0"

JUMPSTART_TAG = "sagemaker-sdk:jumpstart-"

JUMPSTART_IDS: dict[ModelName, str] = {
    "base": "huggingface-llm-mistral-7b",
    "instruct": "huggingface-llm-mistral-7b-instruct",
}


class ModelVersion(BaseModel):
    """One version of a model: what to run, where it exists and how it is configured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName
    version: str
    image_tag: str
    artifact_key: str
    default_instance_type: str
    instance_types: tuple[str, ...]
    instance_environment: dict[str, dict[str, str]]
    regions: tuple[str, ...]

    @property
    def jumpstart_id(self) -> str:
        """JumpStart's model id."""
        return JUMPSTART_IDS[self.model]

    @property
    def jumpstart_tags(self) -> dict[str, str]:
        """What the SageMaker SDK tags model, endpoint configuration and endpoint with (2.257, for open models)."""
        return {f"{JUMPSTART_TAG}model-id": self.jumpstart_id, f"{JUMPSTART_TAG}model-version": self.version}

    @property
    def tgi_version(self) -> str:
        """Version of Text Generation Inference in the image, such as `1.1.0`."""
        match = re.search(r"-tgi([0-9.]+)-", self.image_tag)
        if match is None:
            raise ValueError(f"image tag {self.image_tag!r} names no TGI version")
        return match[1]

    @property
    def weights(self) -> str:
        """Which packaging of the weights the artifact is: its revision in JumpStart's bucket, and its format."""
        revision = re.search(r"/(v[0-9.]+)/", self.artifact_key)
        form = "uncompressed prefix" if self.artifact_key.endswith("/") else "tar.gz"
        return f"{revision[1] if revision else 'unversioned'}, {form}"

    @property
    def supported_instance_types(self) -> tuple[str, ...]:
        """Instance types that JumpStart offers for this version or configures the container for."""
        return tuple(dict.fromkeys((*self.instance_types, *self.instance_environment)))

    def image_uri(self, region: str) -> str:
        """The container image's URI in `region`."""
        catalogue = load("jumpstart.json")
        account = catalogue["image_account_by_region"][region]
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return f"{account}.dkr.ecr.{region}.{suffix}/{catalogue['image_repository']}:{self.image_tag}"

    def artifact_uri(self, region: str) -> str:
        """The S3 URI of the weights in `region`: a prefix that ends in `/`, or a `.tar.gz` object."""
        return f"s3://jumpstart-cache-prod-{region}/{self.artifact_key}"

    def environment(self, instance_type: str) -> dict[str, str]:
        """The container's environment that JumpStart sets for this version on `instance_type`."""
        environment: dict[str, str] = load("jumpstart.json")["environment"]
        return environment | self.instance_environment.get(instance_type, {})


class Model(BaseModel):
    """A model with all its versions, oldest first."""

    model_config = ConfigDict(frozen=True)

    name: ModelName
    card: dict[str, str]
    """Description, licence, context, languages and announcement; model_cards.json has the sources."""
    versions: tuple[ModelVersion, ...]

    @property
    def default_version(self) -> ModelVersion:
        """The newest version that runs on the TGI release this project knows."""
        return [v for v in self.versions if v.tgi_version == SUPPORTED_TGI_VERSION][-1]

    def version(self, version: str) -> ModelVersion:
        """The version called `version`. Raises LookupError with those that exist."""
        for candidate in self.versions:
            if candidate.version == version:
                return candidate
        known = ", ".join(v.version for v in self.versions)
        raise LookupError(f"{self.name} has no version {version}; there are {known}")


@cache
def models() -> tuple[Model, ...]:
    """Both models, with every version."""
    published, cards = load("jumpstart.json")["models"], load("model_cards.json")["models"]
    return tuple(
        Model(name=name, card=cards[name], versions=tuple(ModelVersion(model=name, **row) for row in published[id_]))
        for name, id_ in JUMPSTART_IDS.items()
    )


def regions() -> list[str]:
    """Regions in which JumpStart publishes any version of either model."""
    return sorted({region for m in models() for version in m.versions for region in version.regions})


def model(name: ModelName) -> Model:
    """The model called `name`."""
    return next(m for m in models() if m.name == name)
