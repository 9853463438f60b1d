"""JumpStart's Mistral 7B models, their images and artifacts by region, and the instance types they run on.

Everything is data in this folder: no look-up here needs a network, credentials or the SageMaker SDK.
"""

from mistral7b.catalog.data import availability_zones, partition, s3_prefix_list_id, zone_number
from mistral7b.catalog.instances import instance_type, instance_types
from mistral7b.catalog.models import JUMPSTART_IDS, Model, ModelName, ModelVersion, model, models, regions

__all__ = [
    "JUMPSTART_IDS",
    "Model",
    "ModelName",
    "ModelVersion",
    "availability_zones",
    "instance_type",
    "instance_types",
    "model",
    "models",
    "partition",
    "regions",
    "s3_prefix_list_id",
    "zone_number",
]
