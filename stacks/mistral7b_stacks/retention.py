"""How long logs are kept, and whether they outlive their stack, as the CDK names it."""

from typing import Literal, get_args

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from mistral7b.environment import schema

# Both list the numbers of days in ascending order; the CDK ends with INFINITE, which the file does not offer.
RETENTION_DAYS = dict(zip(get_args(schema.RetentionDays), RetentionDays, strict=False))

REMOVAL: dict[Literal["destroy", "retain"], RemovalPolicy] = {
    "destroy": RemovalPolicy.DESTROY,
    # A failed first deployment deletes it all the same: it would block the second one.
    "retain": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
}
