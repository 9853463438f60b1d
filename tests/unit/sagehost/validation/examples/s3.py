"""S3."""

import json
from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json, of

READ: Json = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::open-$account/*",
}


def _policy(bucket: str = "open-$account", **changes: Any) -> Json:
    kept = {name: value for name, value in {**READ, **changes}.items() if value is not None}
    return {"Bucket": bucket, "Policy": json.dumps({"Version": "2012-10-17", "Statement": [kept]})}


def _lifecycle(*rules: Json) -> Json:
    return {
        "Bucket": "open-$account",
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", **one} for one in rules]},
    }


def _encryption(**default: str) -> Json:
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    return {"Bucket": "open-$account", "ServerSideEncryptionConfiguration": {"Rules": rules}}


CLOSED = "closed-$account"
EVERYBODY: Json = {"Principal": "*", "Resource": f"arn:aws:s3:::{CLOSED}/*"}
ONE_DAY: Json = {"Expiration": {"Days": 1}}
NAMES = ("Upper", "xn--a", "192.168.1.1", "a..b", "a-s3alias", "a_b_c", "ab-")
EXAMPLES: Cases = {
    **of(
        "PutBucketPolicy",
        _policy(),
        {
            "policy that is no JSON": ({"Policy": "{"}, {}),
            "no principal": (_policy(Principal=None), {}),
            "action of another service": (_policy(Action=["kms:Decrypt"]), _policy(Action=["s3:GetObject*"])),
            "resource of another bucket": (_policy(Resource=["arn:aws:s3:::other/*"]), {}),
            "principal that does not exist": (
                _policy(Principal={"AWS": "arn:aws:iam::$account:role/none"}),
                _policy(Principal={"AWS": "$role"}),
            ),
            "public policy": (_policy(CLOSED, **EVERYBODY), _policy(CLOSED, **EVERYBODY, Effect="Deny")),
        },
    ),
    **of("CreateBucket", {}, {f"bucket {name}": ({"Bucket": name}, {"Bucket": "a.bucket-1"}) for name in NAMES}),
    **of(
        "PutBucketLifecycleConfiguration",
        {},
        {
            "rule without action": (_lifecycle({}), _lifecycle(ONE_DAY)),
            "no day": (_lifecycle({"Expiration": {"Days": 0}}), _lifecycle(ONE_DAY)),
            "rule given twice": (_lifecycle({"ID": "a", **ONE_DAY}, {"ID": "a", **ONE_DAY}), _lifecycle(ONE_DAY)),
        },
    ),
    **of(
        "PutBucketEncryption",
        {},
        {
            "key for AES256": (
                _encryption(SSEAlgorithm="AES256", KMSMasterKeyID="$key"),
                _encryption(SSEAlgorithm="aws:kms", KMSMasterKeyID="$key"),
            )
        },
    ),
    "select": ("SelectObjectContent", {"Bucket": "b"}, {"Key": "k"}, None),
}
