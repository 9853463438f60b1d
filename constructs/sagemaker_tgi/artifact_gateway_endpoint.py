"""The model's only way out of its VPC: a gateway endpoint for S3 that leads to one bucket."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.arns import s3_arn
from sagemaker_tgi.compliance import explain_statements
from sagemaker_tgi.data_capture import DataCapture
from sagemaker_tgi.props import PropsCheck

_REASONS = {
    "ReadArtifacts": "the weights come through here. The whole bucket: while an endpoint moves to another model, both "
    "have to load. `*` principals may do nothing that their own policies do not allow",
    "ListArtifacts": "to find the files of the weights; the model's role narrows it to one prefix",
    "WriteCaptured": "requests and answers that are kept leave the model's subnets here, for this one prefix",
}


class ArtifactGatewayEndpoint(cdk.Resource):
    """An S3 gateway endpoint through which nothing but reads of the artifact bucket pass, unless the VPC is shared.

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
        artifact_bucket_name: str,
        data_capture: DataCapture | None = None,
        shared: bool = False,
    ) -> None:
        """Defines the gateway endpoint.

        Args:
            vpc: The VPC that gets the endpoint.
            route_table_ids: Route tables of the model's subnets; each once.
            artifact_bucket_name: The bucket that holds the weights.
            data_capture: Where requests and answers are kept. Default: they are not.
            shared: Whether others use the VPC, too. There is no policy then, as it would cut off their requests to S3.
                Default: no.
        """
        with PropsCheck(scope, construct_id) as check:
            if not route_table_ids:
                check.reject("route_table_ids", [], "leaves it without a route", "give the subnets' route tables")
        super().__init__(scope, construct_id)

        statements = [] if shared else _read_artifacts(s3_arn(self.stack, artifact_bucket_name))
        if data_capture is not None and not shared:
            statements.append(
                _pass("WriteCaptured", "s3:PutObject", data_capture.bucket.arn_for_objects(f"{data_capture.prefix}/*"))
            )
        ec2.CfnVPCEndpoint(
            self,
            "Resource",
            vpc_id=vpc.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{self.stack.region}.s3",
            route_table_ids=list(dict.fromkeys(route_table_ids)),
            policy_document=iam.PolicyDocument(statements=statements) if statements else None,
        )
        sids = {statement.sid for statement in statements}
        explain_statements(self, {sid: reason for sid, reason in _REASONS.items() if sid in sids})


def _read_artifacts(bucket: str) -> list[iam.PolicyStatement]:
    return [_pass("ReadArtifacts", "s3:GetObject", f"{bucket}/*"), _pass("ListArtifacts", "s3:ListBucket", bucket)]


def _pass(sid: str, action: str, resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, principals=[iam.AnyPrincipal()], actions=[action], resources=[resource])
