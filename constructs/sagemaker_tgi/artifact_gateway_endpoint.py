"""The model's only way out of its VPC: a gateway endpoint for S3 that leads to one bucket."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.arns import s3_arn
from sagemaker_tgi.props import PropsCheck


class ArtifactGatewayEndpoint(cdk.Resource):
    """An S3 gateway endpoint through which nothing but reads of the artifact bucket pass. It is free of charge.

    The policy allows the whole bucket, not only one model's prefix: while an endpoint moves to another model, both
    have to load. The execution role narrows reads to one prefix.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        route_table_ids: Sequence[str],
        artifact_bucket_name: str,
    ) -> None:
        """Defines the gateway endpoint.

        Args:
            scope: Parent construct.
            construct_id: Id within `scope`.
            vpc: The VPC that gets the endpoint.
            route_table_ids: Route tables of the model's subnets; each once.
            artifact_bucket_name: The bucket that holds the weights.

        Raises:
            InvalidPropsError: with every problem of the props.
        """
        check = PropsCheck(scope, construct_id)
        if not route_table_ids:
            check.reject("route_table_ids", [], "leaves the endpoint without a route", "give the subnets' route tables")
        check.raise_problems()
        super().__init__(scope, construct_id)

        bucket_arn = s3_arn(self.stack, artifact_bucket_name)
        policy = iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="ReadArtifacts",
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:GetObject"],
                    resources=[f"{bucket_arn}/*"],
                ),
                iam.PolicyStatement(
                    sid="ListArtifacts",
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:ListBucket"],
                    resources=[bucket_arn],
                ),
            ]
        )
        ec2.CfnVPCEndpoint(
            self,
            "Resource",
            vpc_id=vpc.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{self.stack.region}.s3",
            route_table_ids=list(dict.fromkeys(route_table_ids)),
            policy_document=policy,
        )
