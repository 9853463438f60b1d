"""An interface endpoint, by which callers reach a SageMaker endpoint privately."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.arns import INVOKE_ACTIONS, endpoint_arn
from sagemaker_tgi.permissions import Permission, explain
from sagemaker_tgi.props import PropsCheck


class RuntimeInterfaceEndpoint(ec2.InterfaceVpcEndpoint):
    """An interface endpoint for `sagemaker.runtime` through which the account's SageMaker endpoints can be invoked.

    Its private DNS gives the service's usual host name the endpoint's addresses, so that callers inside the VPC
    need no setting. It is billed by the hour and zone. Further callers: `connections.allow_default_port_from(…)`.

    The policy names no SageMaker endpoint, as only one interface endpoint of a VPC can have the private DNS: while one
    that gets another name is replaced, callers invoke the old one or the new one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        subnets: Sequence[ec2.ISubnet],
        shared: bool = False,
    ) -> None:
        """Defines the interface endpoint.

        Args:
            vpc: The callers' VPC; its range may reach the endpoint.
            subnets: Subnets for the endpoint's interfaces; of several in one zone, the first is taken.
            shared: Whether others use the VPC, too. There is no policy then, as it would cut off their requests: the
                callers' own policies decide. Default: no.
        """
        with PropsCheck(scope, construct_id) as check:
            if not subnets:
                check.reject("subnets", [], "leaves the endpoint without an interface", "give a subnet")
        by_zone: dict[str, ec2.ISubnet] = {}
        for subnet in subnets:  # EC2 rejects a zone's second one. `SubnetSelection.one_per_az` ignores given subnets
            by_zone.setdefault(subnet.availability_zone, subnet)
        security_group = ec2.SecurityGroup(
            scope,
            f"{construct_id}SecurityGroup",
            vpc=vpc,
            description="Callers of the SageMaker runtime",
            allow_all_outbound=False,
        )
        security_group.add_ingress_rule(ec2.Peer.ipv4(vpc.vpc_cidr_block), ec2.Port.tcp(443), "Callers inside the VPC")
        super().__init__(
            scope,
            construct_id,
            vpc=vpc,
            service=ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
            subnets=ec2.SubnetSelection(subnets=[*by_zone.values()]),
            security_groups=[security_group],
            open=False,
            private_dns_enabled=True,
        )
        if shared:
            return
        invoke = Permission(
            sid="InvokeOwnEndpoints",
            reason="callers inside the VPC invoke endpoints of this account and of no other. `*` principals may do "
            "nothing that their own policies do not allow; `*` as a name, as an endpoint that is renamed has two for a "
            "while",
            principals=[iam.AnyPrincipal()],
            actions=INVOKE_ACTIONS,
            resources=[endpoint_arn(cdk.Stack.of(scope), "*")],
        )
        self.add_to_policy(invoke.statement())
        explain(self, [invoke])
