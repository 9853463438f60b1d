"""What SageMaker checks at once when a model or an endpoint configuration is created, against the other services."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from moto.ecr.models import ecr_backends
from moto.s3.models import s3_backends
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.utils import arn_formatter

from sagehost import roles
from sagehost.accounts import JUMPSTART_BUCKET, url_suffix
from sagehost.hosting.capture import kms_key

_PRINCIPAL = "sagemaker.amazonaws.com"
_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[^/]*/?(?P<name>[^:@]*)[:@]?(?P<id>.*)"
)
LOCAL_NVME = {
    *("c5d", "c6gd", "dl1", "g4dn", "g5", "g6", "g6e", "g7", "g7e", "m5d", "m6gd", "p4d", "p4de", "p5", "p5e", "p5en"),
    *("p6-b200", "p6-b300", "p6e-gb200", "r5d", "r6gd", "r7gd", "trn1", "trn1n", "trn2"),
}
"""Families whose instances have local NVMe storage (EC2 guide, "Instance store volumes")."""


def found(backend: SageMakerModelBackend, resource: Literal["model", "endpoint-config"], name: str) -> Any:
    """The model or endpoint configuration of this name. Raises ValidationError."""
    one = (backend._models if resource == "model" else backend.endpoint_configs).get(name)
    if one is None:
        arn = arn_formatter(resource, name, backend.account_id, backend.region_name)
        kind = resource.replace("-config", " configuration")
        raise ValidationError(message=f'Could not find {kind} "{arn}".')
    return one


def check_model(backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> None:
    """Name, role, model data and network of CreateModel. Raises ValidationError."""
    name = parameters["ModelName"]
    if name in backend._models:
        raise ValidationError(message=f'Cannot create already existing model "{backend._models[name].arn}".')
    role = parameters.get("ExecutionRoleArn", "")
    _check_role(role, arn_formatter("model", name, backend.account_id, backend.region_name))
    for container in [parameters.get("PrimaryContainer"), *(parameters.get("Containers") or [])]:
        if container:
            image = container.get("Image", "")
            private = (container.get("ImageConfig") or {}).get("RepositoryAccessMode") == "Vpc"
            ecr = _ECR.match(image)
            if image and not ecr and not private:
                raise ValidationError(
                    message=f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.'
                )
            if ecr and ecr["region"] != backend.region_name:
                raise ValidationError(
                    message=f'Region of "{image}" does not match expected region of {backend.region_name}. '
                    "Cross region ECR image pulls are not allowed."
                )
            if ecr and not _is_stored(ecr):
                raise ValidationError(message=f"Requested image {image} not found.")
            _check_data(backend, role, container)
    check_network(backend, parameters.get("VpcConfig") or {})


def check_endpoint_config(backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> None:
    """Name, models and instance types of CreateEndpointConfig. Raises ValidationError."""
    name = parameters["EndpointConfigName"]
    if name in backend.endpoint_configs:
        arn = backend.endpoint_configs[name].endpoint_config_arn
        raise ValidationError(message=f'Cannot create already existing endpoint configuration "{arn}".')
    for variant in parameters["ProductionVariants"]:
        if variant.get("ModelName") is not None:
            found(backend, "model", variant["ModelName"])
        _check_storage(parameters, variant)


def _check_storage(parameters: Mapping[str, Any], variant: Mapping[str, Any]) -> None:
    """Instance types with storage of their own take no volume, and so no key for one."""
    family = variant.get("InstanceType", "..").split(".")[1]
    given = "KmsKeyId" if parameters.get("KmsKeyId") else "VolumeSizeInGB" if variant.get("VolumeSizeInGB") else None
    if given and family in LOCAL_NVME:
        raise ValidationError(
            message=f"{given} is not supported for instance type {variant['InstanceType']} of production variant "
            f"{variant['VariantName']}: its storage is local NVMe, of fixed size and encrypted by hardware."
        )


def _is_stored(image: re.Match[str]) -> bool:
    """Whether the image is in its repository. Of repositories that are not in the embedded AWS, all are."""
    repository = ecr_backends[image["account"]][image["region"]].repositories.get(image["name"])
    wanted = image["id"] or "latest"
    return not repository or any(wanted in (*one.image_tags, one.get_image_digest()) for one in repository.images)


def _check_role(role: str, model: str) -> None:
    try:
        roles.check(role, by=_PRINCIPAL, source_arn=model)
    except roles.AccessDenied as error:
        raise ValidationError(
            message=f"Could not assume role {role}. Please ensure that the role exists and allows principal "
            f"'{_PRINCIPAL}' to assume the role."
        ) from error


def model_data(container: Mapping[str, Any]) -> str | None:
    """S3 URI of the model data of a container definition."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return source.get("S3Uri") or container.get("ModelDataUrl")


def _check_data(backend: SageMakerModelBackend, role: str, container: Mapping[str, Any]) -> None:
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    uri = model_data(container)
    if uri is None:
        return
    compressed = source.get("CompressionType", "Gzip") == "Gzip"
    if source and compressed != (source.get("S3DataType") == "S3Object"):
        raise ValidationError(
            message="S3DataType must be S3Prefix with CompressionType None, and S3Object with CompressionType Gzip."
        )
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not compressed and not key.endswith("/"):
        raise ValidationError(message=f"S3Uri {uri} must end with a forward slash (/) when S3DataType is S3Prefix.")
    try:
        _check_readable(backend, role, bucket, key)
    except roles.AccessDenied as error:
        raise ValidationError(
            message=f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and that its '
            f'trust relationship policy allows the action "sts:AssumeRole" for the service principal "{_PRINCIPAL}". '
            'Also ensure that the role has "s3:GetObject" permissions and that the object is located in '
            f"{backend.region_name}. If your Model uses multiple models or uncompressed models, please ensure that the "
            'role has "s3:ListBucket" permission.'
        ) from error


def _check_readable(backend: SageMakerModelBackend, role: str, name: str, key: str) -> None:
    """Whether the role may read the object of this key, or all of this prefix, in the region. Raises AccessDenied."""
    region, jumpstart = backend.region_name, JUMPSTART_BUCKET.fullmatch(name)
    if jumpstart and jumpstart["region"] == region:  # it is AWS's
        return
    partition, owner = s3_backends.bucket_accounts.get(name, (backend.partition, backend.account_id))
    bucket = s3_backends[owner][partition].buckets.get(name)
    wanted = [one for one in bucket.keys if one == key or (key.endswith("/") and one.startswith(key))] if bucket else []
    if bucket is None or bucket.region_name != region or not wanted:
        raise roles.AccessDenied(f"there is no such object in {region}")
    arn, policy = f"arn:{partition}:s3:::{name}", (bucket.policy or b"{}").decode()
    if key.endswith("/"):
        roles.check_action(role, "s3:ListBucket", arn, {"s3:prefix": key}, policy, owner=owner)
    through = {"kms:viaservice": f"s3.{region}.{url_suffix(region)}", "kms:calleraccount": backend.account_id}
    for one in wanted:
        roles.check_action(role, "s3:GetObject", f"{arn}/{one}", {}, policy, owner=owner)
        if encrypted_with := bucket.keys[one].kms_key_id:
            kms = kms_key(encrypted_with, owner, region)
            roles.check_action(role, "kms:Decrypt", kms.arn, through, kms.policy, owner=kms.arn.split(":")[4])


def check_network(backend: SageMakerModelBackend, vpc: Mapping[str, Any]) -> None:
    """Whether subnets and security groups of a VpcConfig exist. Raises ValidationError."""
    if not vpc:
        return
    from moto.ec2.exceptions import EC2ClientError  # noqa: PLC0415 - half a second that the server's start does without
    from moto.ec2.models import ec2_backends  # noqa: PLC0415

    ec2 = ec2_backends[backend.account_id][backend.region_name]
    try:
        for subnet in vpc.get("Subnets") or []:
            ec2.get_subnet(subnet)
    except EC2ClientError as error:
        raise ValidationError(message=str(error.message)) from None
    for group in vpc.get("SecurityGroupIds") or []:
        if ec2.get_security_group_from_id(group) is None:
            raise ValidationError(message=f"The security group '{group}' does not exist")
