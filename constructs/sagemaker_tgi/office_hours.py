"""Office hours: an endpoint that is deleted for nights and weekends, and created again."""

from collections.abc import Sequence
from datetime import time
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from sagemaker_tgi.compliance import acknowledge, explain_statements
from sagemaker_tgi.endpoint import TgiEndpoint
from sagemaker_tgi.endpoint_config import TgiEndpointConfig
from sagemaker_tgi.permissions import LeastPrivilegeRole, Permission, service_principal
from sagemaker_tgi.props import PropsCheck

_RETRIES = cdk.Duration.hours(1)  # by default 24: the last one would come after the endpoint is to be gone again


class OfficeHours(Construct):
    """Creates the endpoint when its hours begin, from Monday to Friday, and deletes it when they end.

    Only for an endpoint that does not scale: a scalable target goes with its endpoint. While the endpoint is deleted,
    an update of it fails. What failed for an hour is sent to `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: TgiEndpoint,
        endpoint_config: TgiEndpointConfig,
        time_zone: str,
        opens: time,
        closes: time,
    ) -> None:
        """Defines schedules, their role and their dead-letter queue.

        Args:
            endpoint: The endpoint, with whose name and tags it is created again.
            endpoint_config: What it runs.
            time_zone: Time zone of the hours, such as `Europe/Berlin`.
            opens: When it is created.
            closes: When it is deleted, on the same day.
        """
        with PropsCheck(scope, construct_id) as check:
            if not opens < closes:
                check.reject("closes", f"{closes:%H:%M}", f"is not after opens, {opens:%H:%M}", "use a later time")
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        """The queue of what could not be done, with the reason."""
        explain_statements(self.dead_letters, {"sqs:*": "no message passes without TLS"})
        acknowledge(self.dead_letters, "it is itself the dead-letter queue, of the schedules", "AwsSolutions-SQS3")
        # Its name is not the endpoint's: an endpoint that gets another name would move its schedules to another group.
        group = scheduler.ScheduleGroup(self, "Group", removal_policy=cdk.RemovalPolicy.DESTROY)
        allowed = start_stop_permissions(endpoint, endpoint_config)
        role = LeastPrivilegeRole(
            self,
            "Role",
            description=f"SageMaker endpoint {endpoint.endpoint_name}: created and deleted by office hours",
            # EventBridge Scheduler user guide, "Confused deputy prevention": the ARN has to be that of the group.
            assumed_by=service_principal(stack, "scheduler.amazonaws.com", group.schedule_group_arn),
            trust="EventBridge Scheduler creates and deletes the endpoint with it, for schedules of this group only",
            policies={
                "Endpoint": allowed,
                "DeadLetters": [
                    Permission(
                        "TellFailures",
                        "what could not be done for an hour goes to this queue",
                        ["sqs:SendMessage"],
                        [self.dead_letters.queue_arn],
                    )
                ],
            },
        ).without_policy_updates()
        request = {"EndpointName": endpoint.endpoint_name}
        config = {"EndpointConfigName": endpoint_config.endpoint_config_name, "Tags": cdk.Lazy.any(_Tags(endpoint))}
        for action, at, parameters in (("create", opens, request | config), ("delete", closes, request)):
            scheduler.Schedule(
                self,
                action.capitalize(),
                description=f"SageMaker endpoint {endpoint.endpoint_name}: office hours",
                schedule=scheduler.ScheduleExpression.cron(
                    minute=str(at.minute), hour=str(at.hour), week_day="MON-FRI", time_zone=cdk.TimeZone.of(time_zone)
                ),
                schedule_group=group,
                target=targets.Universal(
                    service="sagemaker",
                    action=f"{action}Endpoint",
                    input=scheduler.ScheduleTargetInput.from_object(parameters),
                    policy_statements=[one.statement() for one in allowed],  # the role has them: else the CDK warns
                    role=role,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=_RETRIES,
                ),
            ).node.add_dependency(endpoint)  # after an update of it, and gone before it is removed


def start_stop_permissions(endpoint: TgiEndpoint, endpoint_config: TgiEndpointConfig) -> Sequence[Permission]:
    """To create an endpoint from its deployed configuration, with its tags, and to delete it."""
    arns = [endpoint.endpoint_arn, endpoint_config.endpoint_config_arn]
    return [
        Permission(
            "StartEndpoint",
            "to create this endpoint again from the deployed configuration, no other. SageMaker assumes the model's "
            "role by what CreateModel was given, so nothing is passed here",
            ["sagemaker:CreateEndpoint"],
            arns,
        ),
        Permission(
            "StopEndpoint",
            "to delete this endpoint, and to give it its tags when it is created",
            ["sagemaker:AddTags", "sagemaker:DeleteEndpoint"],
            arns[:1],
        ),
    ]


@jsii.implements(cdk.IStableAnyProducer)
class _Tags:
    """The tags of an endpoint, which are known only when every construct is defined."""

    def __init__(self, endpoint: TgiEndpoint) -> None:
        self._endpoint = endpoint

    def produce(self) -> Any:
        """As CreateEndpoint takes them."""
        resource = self._endpoint.node.default_child
        manager = cdk.TagManager.of(resource)
        assert manager is not None
        return [{"Key": key, "Value": value} for key, value in manager.tag_values().items()]
