"""A gateway endpoint for one bucket of Amazon S3: the model's only route out of its VPC."""

from collections.abc import Iterator, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.arns import s3_arn
from sagemaker_tgi.artifact import ModelArtifact
from sagemaker_tgi.data_capture import DataCapture
from sagemaker_tgi.permissions import Permission, explain, policy_of
from sagemaker_tgi.props import PropsCheck


class ArtifactGatewayEndpoint(cdk.Resource):
    """An S3 gateway endpoint that allows only reads of the artifact bucket, unless the VPC is shared.

    It is free of charge.

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
        artifact: ModelArtifact,
        data_capture: DataCapture | None = None,
        shared: bool = False,
    ) -> None:
        """Defines the gateway endpoint.

        Args:
            vpc: The VPC that gets the endpoint.
            route_table_ids: Route tables of the model's subnets; each once.
            artifact: The weights, whose bucket may be read.
            data_capture: Where requests and answers are kept. Default: they are not.
            shared: Whether others use the VPC, too. There is no policy then, as it would cut off their requests to S3.
                Default: no.
        """
        with PropsCheck(scope, construct_id) as check:
            if not route_table_ids:
                check.reject("route_table_ids", [], "leaves it without a route", "give the subnets' route tables")
        super().__init__(scope, construct_id)

        permissions = [] if shared else list(self._permissions(artifact, data_capture))
        ec2.CfnVPCEndpoint(
            self,
            "Resource",
            vpc_id=vpc.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{self.stack.region}.s3",
            route_table_ids=list(dict.fromkeys(route_table_ids)),
            policy_document=policy_of(permissions) if permissions else None,
        )
        explain(self, permissions)

    def _permissions(self, artifact: ModelArtifact, data_capture: DataCapture | None) -> Iterator[Permission]:
        bucket, anyone = s3_arn(self.stack, artifact.bucket_name), [iam.AnyPrincipal()]
        yield Permission(
            sid="ReadArtifacts",
            reason="the weights come through here. The whole bucket: while an endpoint moves to another model, both "
            "have to load. `*` principals may do nothing that their own policies do not allow",
            principals=anyone,
            actions=["s3:GetObject"],
            resources=[f"{bucket}/*"],
            conditions=artifact.conditions,
        )
        yield Permission(
            sid="ListArtifacts",
            reason="to find the files of the weights; the model's role narrows it to one prefix",
            principals=anyone,
            actions=["s3:ListBucket"],
            resources=[bucket],
            conditions=artifact.conditions,
        )
        if data_capture is not None:
            yield Permission(
                sid="WriteCaptured",
                reason="captured requests leave the model's subnets here, for this one prefix",
                principals=anyone,
                actions=["s3:PutObject"],
                resources=[data_capture.bucket.arn_for_objects(f"{data_capture.prefix}/*")],
            )
