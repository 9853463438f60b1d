"""Instance types: GPUs, memory and storage."""

from functools import cache

from pydantic import BaseModel, ConfigDict

from mistral7b.catalog.data import load


class InstanceType(BaseModel):
    """One SageMaker instance type.

    `gpu_memory_gib` is the memory of one GPU; `memory_gib` is the host's. `local_nvme` means that SageMaker
    refuses `KmsKeyId` and `VolumeSizeInGB` for it: the instance store is already encrypted and of fixed size.
    `quota_code` is that of the quota "TYPE for endpoint usage" in Service Quotas.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    gpu: str
    gpus: int
    gpu_memory_gib: int
    vcpus: int
    memory_gib: int
    local_nvme: bool
    quota_code: str


@cache
def instance_types() -> tuple[InstanceType, ...]:
    """All known instance types, in the order of the data file."""
    return tuple(InstanceType(**row) for row in load("instance_types.json")["instance_types"])


def instance_type(name: str) -> InstanceType:
    """The instance type called `name`, such as `ml.g5.2xlarge`.

    Raises:
        LookupError: it is not in the catalogue.
    """
    for candidate in instance_types():
        if candidate.name == name:
            return candidate
    known = ", ".join(t.name for t in instance_types())
    raise LookupError(f"unknown instance type {name}; known: {known}")
