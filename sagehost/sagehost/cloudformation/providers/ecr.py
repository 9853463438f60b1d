"""ECR: repositories."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.accounts import url_suffix
from sagehost.cloudformation.providers.base import Facet, Props, Provider
from sagehost.cloudformation.providers.calls import api, arn, by, names, parameter, setting, tags
from sagehost.cloudformation.values import Json


def _nothing(*_: object) -> None:
    """EmptyOnDelete counts only once the repository is deleted."""


def _delete(name: str, properties: Props) -> dict[str, Json]:
    return {"repositoryName": name, "force": properties.get("EmptyOnDelete", False)}


def _uri(account: str, region: str, name: str) -> str:
    return f"{account}.dkr.ecr.{region}.{url_suffix(region)}/{name}"


REPOSITORY = api(
    "ecr",
    create="create_repository",
    delete="delete_repository",
    sends="RepositoryName EncryptionConfiguration",
    name="RepositoryName",
    longest_name=256,
    lower_name=True,
    identify=parameter("RepositoryName"),
    handle=by("repositoryName"),
    delete_handle=_delete,
    facets=(
        setting(
            "ecr",
            "ImageTagMutability",
            lambda ecr, name, new: ecr.put_image_tag_mutability(
                repositoryName=name, imageTagMutability=new["ImageTagMutability"]
            ),
            lambda ecr, name: ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE"),
        ),
        setting(
            "ecr",
            "ImageScanningConfiguration",
            lambda ecr, name, new: ecr.put_image_scanning_configuration(
                repositoryName=name, imageScanningConfiguration=new["ImageScanningConfiguration"]
            ),
            lambda ecr, name: ecr.put_image_scanning_configuration(
                repositoryName=name, imageScanningConfiguration={"scanOnPush": False}
            ),
        ),
        setting(
            "ecr",
            "LifecyclePolicy",
            lambda ecr, name, new: ecr.put_lifecycle_policy(repositoryName=name, **new["LifecyclePolicy"]),
            lambda ecr, name: ecr.delete_lifecycle_policy(repositoryName=name),
        ),
        setting(
            "ecr",
            "RepositoryPolicyText",
            lambda ecr, name, new: ecr.set_repository_policy(
                repositoryName=name, policyText=new["RepositoryPolicyText"]
            ),
            lambda ecr, name: ecr.delete_repository_policy(repositoryName=name),
        ),
        Facet(names("EmptyOnDelete"), _nothing),
        tags("ecr", lambda context, name: {"resourceArn": context.arn("ecr", f"repository/{name}")}),
    ),
    attributes={
        "Arn": arn("ecr", "repository/"),
        "RepositoryUri": lambda context, name, _: _uri(context.account, context.region, name),
    },
)

PROVIDERS: Mapping[str, Provider] = {"AWS::ECR::Repository": REPOSITORY}
