"""The security group of the model's network interfaces."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from sagemaker_tgi.props import PropsCheck
from sagemaker_tgi.region_data import s3_prefix_list_id as known_prefix_list_id


class ModelSecurityGroup(cdk.Resource):
    """A security group without ingress, and with egress only by HTTPS to Amazon S3 in the region.

    Requests do not come through these interfaces: SageMaker hands them to the container. `ec2.SecurityGroup` is not
    used: it makes a rule for a prefix list a resource of its own, and EC2 adds "everything to everywhere" to a group
    that is created without an egress rule inside.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, s3_prefix_list_id: str | None = None
    ) -> None:
        """Defines the security group.

        Args:
            s3_prefix_list_id: Id of the region's managed prefix list `com.amazonaws.<region>.s3`.
                Default: by this package's data; a region that is not in it needs this prop.
        """
        region = cdk.Stack.of(scope).region
        prefix_list_id = s3_prefix_list_id or known_prefix_list_id(region)
        with PropsCheck(scope, construct_id) as check:
            if prefix_list_id is None:
                where = "a stack without a region" if cdk.Token.is_unresolved(region) else region
                check.reject(
                    "s3_prefix_list_id",
                    None,
                    f"the id of S3's prefix list in {where} is not known",
                    "give the stack a region that has one, or the PrefixListId that `aws ec2 describe-prefix-lists` "
                    "prints for com.amazonaws.<region>.s3",
                )
        super().__init__(scope, construct_id)
        resource = ec2.CfnSecurityGroup(
            self,
            "Resource",
            group_description="Model: no ingress, egress to Amazon S3 alone",
            vpc_id=vpc.vpc_id,
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp",
                    from_port=443,
                    to_port=443,
                    destination_prefix_list_id=prefix_list_id,
                    description="Model artifacts in Amazon S3",
                )
            ],
        )
        self.security_group: ec2.ISecurityGroup = ec2.SecurityGroup.from_security_group_id(
            self, "SecurityGroup", resource.attr_group_id, mutable=False
        )
        """The group, for constructs that ask for one; it takes no further rules."""
