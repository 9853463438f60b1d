"""Ids of the managed prefix lists of Amazon S3, so that a synth needs no look-up."""

# `aws ec2 describe-prefix-lists`, PrefixListId of com.amazonaws.<region>.s3. Each id stands in at least two independent
# public sources, one of them (eu-north-1 apart) the command's own output over all regions; regions for which
# sources are missing or contradict each other are left out, because the id of one region's S3 list can be
# that of another service in the next (pl-6fa54006: S3 in ap-southeast-1, DynamoDB in eu-west-1).
S3_PREFIX_LIST_IDS = {
    "ap-northeast-1": "pl-61a54008",
    "ap-northeast-2": "pl-78a54011",
    "ap-south-1": "pl-78a54011",
    "ap-southeast-1": "pl-6fa54006",
    "ap-southeast-2": "pl-6ca54005",
    "ca-central-1": "pl-7da54014",
    "eu-central-1": "pl-6ea54007",
    "eu-north-1": "pl-c3aa4faa",
    "eu-west-1": "pl-6da54004",
    "eu-west-2": "pl-7ca54015",
    "eu-west-3": "pl-23ad484a",
    "sa-east-1": "pl-6aa54003",
    "us-east-1": "pl-63a5400a",
    "us-east-2": "pl-7ba54012",
    "us-west-1": "pl-6ba54002",
    "us-west-2": "pl-68a54001",
}
