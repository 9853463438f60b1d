"""Mistral 7B as SageMaker JumpStart publishes it: image, weights and settings by region, without an AWS call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk.region_info import RegionInfo
from constructs import Construct

from sagemaker_tgi.artifact import EcrImage, ModelArtifact
from sagemaker_tgi.props import PropsCheck
from sagemaker_tgi.region_data import load

_DEFAULT_TGI = "-tgi1.1.0-"  # in the image tag; the default is the newest version on this release, which is tested


@dataclass(frozen=True)
class JumpStartMistral:
    """One version of Mistral 7B in one region. The weights are public; Apache 2.0 is their licence."""

    image: EcrImage
    artifact: ModelArtifact
    environment: Mapping[str, str]
    """The container's environment variables that JumpStart sets on the instance type."""

    @classmethod
    def instruct(
        cls, scope: Construct, *, version: str | None = None, instance_type: str = "ml.g5.2xlarge"
    ) -> "JumpStartMistral":
        """Mistral 7B Instruct in the region of the scope's stack.

        Args:
            scope: The stack, or a construct in it.
            version: JumpStart's version. Default: the newest on Text Generation Inference 1.1.0.
            instance_type: What it is to run on, which decides on some settings.

        Raises:
            InvalidPropsError: if the stack has no region, or JumpStart does not publish that version there.
        """
        return cls._published("huggingface-llm-mistral-7b-instruct", scope, version, instance_type)

    @classmethod
    def base(
        cls, scope: Construct, *, version: str | None = None, instance_type: str = "ml.g5.2xlarge"
    ) -> "JumpStartMistral":
        """Mistral 7B without instruction tuning; arguments and errors as with `instruct`."""
        return cls._published("huggingface-llm-mistral-7b", scope, version, instance_type)

    @classmethod
    def _published(cls, model_id: str, scope: Construct, version: str | None, instance_type: str) -> "JumpStartMistral":
        data, region = load("jumpstart.json"), cdk.Stack.of(scope).region
        versions: dict[str, Any] = {row["version"]: row for row in data["models"][model_id]}
        default = [row for row in versions.values() if _DEFAULT_TGI in row["image_tag"]][-1]
        found = default if version is None else versions.get(version)
        with PropsCheck(scope, f"JumpStartMistral({model_id})") as check:
            if found is None:
                check.reject("version", version, "is none that runs on TGI", f"use one of {', '.join(versions)}")
                found = default
            if cdk.Token.is_unresolved(region):
                fix = 'set it: env=cdk.Environment(region="us-east-1")'
                check.reject("region of the stack", None, "decides on image and weights", fix)
            elif region not in found["regions"]:
                fix = f"use one of {', '.join(found['regions'])}"
                check.reject("region of the stack", region, f"does not have version {found['version']}", fix)
            offered = list(dict.fromkeys([*found["instance_types"], *found["instance_environment"]]))
            if instance_type not in offered:
                check.reject("instance_type", instance_type, "is not offered", f"use one of {', '.join(offered)}")
        registry = f"{data['image_account_by_region'][region]}.dkr.ecr.{region}.{RegionInfo.get(region).domain_suffix}"
        return cls(
            EcrImage.from_uri(f"{registry}/{data['image_repository']}:{found['image_tag']}"),
            ModelArtifact(f"jumpstart-cache-prod-{region}", found["artifact_key"]),
            data["environment"] | found["instance_environment"].get(instance_type, {}),
        )
