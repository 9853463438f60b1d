"""JumpStart's Mistral 7B models, their images and artifacts by region, and the instance types they run on.

Everything is data in this folder: no look-up here needs a network, credentials or the SageMaker SDK.
"""

from mistral7b.catalog.data import availability_zones as availability_zones
from mistral7b.catalog.data import partition as partition
from mistral7b.catalog.data import s3_prefix_list_id as s3_prefix_list_id
from mistral7b.catalog.data import zone_number as zone_number
from mistral7b.catalog.instances import instance_type as instance_type
from mistral7b.catalog.instances import instance_types as instance_types
from mistral7b.catalog.models import JUMPSTART_IDS as JUMPSTART_IDS
from mistral7b.catalog.models import Model as Model
from mistral7b.catalog.models import ModelName as ModelName
from mistral7b.catalog.models import ModelVersion as ModelVersion
from mistral7b.catalog.models import model as model
from mistral7b.catalog.models import models as models
from mistral7b.catalog.models import regions as regions
