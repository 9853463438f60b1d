"""EventBridge Scheduler: schedules and their groups."""

from sagehost.cloudformation.providers.provider import Provider

PROVIDERS = (
    Provider(
        "AWS::Scheduler::ScheduleGroup",
        sends="Name",
        name="Name",
        attributes={"Arn": "arn:{partition}:scheduler:{region}:{account}:schedule-group/{id}"},
    ),
    Provider(
        "AWS::Scheduler::Schedule",
        update_with="update_schedule",
        sends="Name GroupName Description ScheduleExpression ScheduleExpressionTimezone FlexibleTimeWindow State "
        "Target StartDate EndDate KmsKeyArn",
        handle="Name GroupName",
        name="Name",
        attributes={"Arn": "arn:{partition}:scheduler:{region}:{account}:schedule/{GroupName}/{id}"},
    ),
)
