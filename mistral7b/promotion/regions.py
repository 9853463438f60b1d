"""Regions of pipelines."""

PIPELINE_REGIONS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
"""Where both CodePipeline and CodeConnections are (botocore's endpoints, codestar-connections), outside GovCloud,
where JumpStart has no Mistral 7B. China has no CodeConnections."""


def partition(region: str) -> str:
    """The partition of a region, by its name's beginning (botocore's endpoints, regionRegex)."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")
