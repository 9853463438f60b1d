"""Resources that examples of refusals are about, made once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from sagehost import hosting
from sagehost.cloudformation.store import STORES, Stack
from sagehost.hosting.endpoints import HOSTED
from sagehost.hosting.settings import HostingSettings
from sagehost.moto_app import client
from sagehost.pipelines.store import APPROVALS, PIPELINE, RESOURCES, Approval
from tests.unit.fresh_accounts import fresh_account

REGION = "us-east-1"


def statement(**changes: Any) -> str:
    """A policy document of one statement."""
    allow = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow | changes]})


@pytest.fixture(scope="module")
def world() -> Iterator[dict[str, Any]]:  # noqa: PLR0915 - a list of resources
    """Names of resources, as examples give them after `$`."""
    account = fresh_account()
    held: list[Any] = []
    work = {"deploy": lambda one: one()}

    def later(one: Any) -> None:
        work["deploy"](one)

    containers: Any = {"*": lambda: lambda _: object()}
    hosting.install(HostingSettings.from_environment(), containers=containers, later=later)

    def of(service: str) -> Any:
        return client(service, account, REGION)

    iam, ec2, sagemaker = of("iam"), of("ec2"), of("sagemaker")
    role = iam.create_role(RoleName="endpoint", AssumeRolePolicyDocument=statement())["Role"]["Arn"]
    reads = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="endpoint", PolicyName="reads", PolicyDocument=json.dumps(reads))
    of("ecr").create_repository(repositoryName="tgi")
    vpc, other_vpc = (ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.0.0.0/16", "10.1.0.0/16"))
    subnet, full = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"] for cidr in ("10.0.0.0/24", "10.0.1.0/28")
    )
    for _ in range(11):
        ec2.create_network_interface(SubnetId=full)
    used, unused = (
        ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"] for _ in range(2)
    )
    vars(ec2_backends[account][REGION].enis[used]).update(requester_managed=True, status="in-use")
    other_subnet = ec2.create_subnet(VpcId=other_vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    table, second_table = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    group = ec2.create_security_group(GroupName="endpoint", Description="endpoint", VpcId=vpc)["GroupId"]
    image = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/huggingface-pytorch-tgi-inference:1"
    for name in ("model", "gone-model"):
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})

    def config(name: str, model: str = "model", count: int = 2, kind: str = "ml.g5.2xlarge") -> None:
        variant = {"VariantName": "main", "ModelName": model, "InstanceType": kind, "InitialInstanceCount": count}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])

    for name in ("config", "gone-config"):
        config(name)
    config("one", count=1)
    config("larger", kind="ml.g5.4xlarge")
    memory = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    serverless = {"VariantName": "main", "ModelName": "model", "ServerlessConfig": memory}
    sagemaker.create_endpoint_config(EndpointConfigName="serverless", ProductionVariants=[serverless])
    config("without-model", model="gone-model")
    sagemaker.delete_model(ModelName="gone-model")
    spare = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/28")["Subnet"]["SubnetId"]
    sagemaker.create_model(
        ModelName="networked",
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": image},
        VpcConfig={"Subnets": [spare], "SecurityGroupIds": [group]},
    )
    config("without-subnet", model="networked")
    ec2.delete_subnet(SubnetId=spare)
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    sagemaker.create_endpoint(EndpointName="scaled", EndpointConfigName="config")
    sagemaker.create_endpoint(EndpointName="of-gone-config", EndpointConfigName="gone-config")
    sagemaker.delete_endpoint_config(EndpointConfigName="gone-config")
    work["deploy"] = held.append
    sagemaker.create_endpoint(EndpointName="creating", EndpointConfigName="config")

    def fail(deploy: Any) -> None:
        HOSTED.containers = {}
        deploy()

    work["deploy"] = fail
    sagemaker.create_endpoint(EndpointName="failed", EndpointConfigName="config")
    scaling = of("application-autoscaling")
    target = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/scaled/variant/main"}
    target["ScalableDimension"] = "sagemaker:variant:DesiredInstanceCount"
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    at_eight = {"ScheduledActionName": "a", "Schedule": "cron(0 8 * * ? *)"}
    scaling.put_scheduled_action(**target, **at_eight, ScalableTargetAction={"MinCapacity": 1})
    scaling.put_scaling_policy(
        **target,
        PolicyName="invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 1, **metric},
    )
    iam.create_service_linked_role(AWSServiceName="sagemaker.application-autoscaling.amazonaws.com")
    iam.create_role(RoleName="visitor", AssumeRolePolicyDocument=statement(Principal={"AWS": account}))
    of("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="n",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    of("logs").create_log_group(logGroupName="group")
    key, deleted = (of("kms").create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    of("kms").schedule_key_deletion(KeyId=deleted, PendingWindowInDays=7)
    owner = {"AWS": f"arn:aws:iam::{account}:root", "Service": f"logs.{REGION}.amazonaws.com"}
    of_logs = of("kms").create_key(Policy=statement(Principal=owner, Action="kms:*", Resource="*"))["KeyMetadata"]
    asymmetric = of("kms").create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    for bucket in (f"open-{account}", f"closed-{account}"):
        of("s3").create_bucket(Bucket=bucket)
    of("s3").put_public_access_block(
        Bucket=f"closed-{account}", PublicAccessBlockConfiguration={"BlockPublicPolicy": True}
    )
    of("s3").put_object(Bucket=f"open-{account}", Key="model/weights", Body=b"x")
    of("scheduler").create_schedule_group(Name="nightly")
    of("iam").create_role(
        RoleName="scheduler", AssumeRolePolicyDocument=statement(Principal={"Service": "scheduler.amazonaws.com"})
    )
    trust = statement(Principal={"Service": ["codepipeline.amazonaws.com", "codebuild.amazonaws.com"]})
    pipeline_role = iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    assumed = of("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/visitor", RoleSessionName="visit")
    for name, status, protected in (
        ("complete", "CREATE_COMPLETE", False),
        ("protected", "CREATE_COMPLETE", True),
        ("updating", "UPDATE_IN_PROGRESS", False),
        ("undeleted", "DELETE_FAILED", False),
    ):
        stack = Stack(name=name, id=f"arn:{name}", account=account, region=REGION, status=status)
        stack.termination_protection = protected
        STORES[account, REGION].add(stack)
    RESOURCES[account, REGION, PIPELINE]["promotion"] = {"Name": "promotion"}
    waiting, answered = (
        APPROVALS.setdefault((account, REGION, "promotion", "prod", action), Approval("1"))
        for action in ("Promote", "Review")
    )
    answered.status = "Succeeded"
    yield {
        "answered": answered.token,
        "waiting": waiting.token,
        "access_key": assumed["Credentials"]["AccessKeyId"],
        "account": account,
        "asymmetric_key": asymmetric["KeyId"],
        "default_group": next(one["GroupId"] for one in groups),
        "deleted_key": deleted,
        "full": full,
        "group": group,
        "image": image,
        "key": key,
        "key_of_logs": of_logs["KeyId"],
        "other_group": ec2.create_security_group(GroupName="o", Description="o", VpcId=other_vpc)["GroupId"],
        "other_subnet": other_subnet,
        "other_table": ec2.create_route_table(VpcId=other_vpc)["RouteTable"]["RouteTableId"],
        "pipeline_role": pipeline_role,
        "role": role,
        "second_table": second_table,
        "subnet": subnet,
        "table": table,
        "unused": unused,
        "used": used,
        "vpc": vpc,
    }
    hosting.install()
