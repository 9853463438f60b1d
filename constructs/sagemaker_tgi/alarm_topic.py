"""The topic that alarms are sent to, with its key and both policies."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from sagemaker_tgi.compliance import explain_statements
from sagemaker_tgi.encryption_key import EncryptionKey
from sagemaker_tgi.permissions import Permission, add_to_resource_policy, explain, service_principal


class AlarmTopic(Construct):
    """An encrypted topic that CloudWatch may publish to, for the alarms of its account and region only.

    It needs a key of its own: if a topic's key does not let CloudWatch in, alarms notify nobody, and only their history
    says so.
    """

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str, emails: Sequence[str] = ()) -> None:
        """Defines topic, key and policies.

        Args:
            display_name: Sender of the e-mails.
            emails: Addresses; SNS asks each of them to confirm. Default: subscribe to `topic` yourself.
        """
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        alarms = stack.format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        cloudwatch = [service_principal(stack, "cloudwatch.amazonaws.com", alarms)]
        self.key = EncryptionKey(self, "Key", description=f"{display_name}: alarms")
        """Key of the messages."""
        add_to_resource_policy(
            self.key,
            Permission(
                "AlarmsEncrypt",
                "CloudWatch encrypts what alarms of this account publish. `*` is the key itself",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                ["*"],
                principals=cloudwatch,
            ),
        )
        self.topic = sns.Topic(self, "Topic", display_name=display_name, master_key=self.key, enforce_ssl=True)
        """Where alarms go."""
        publish = Permission(
            "AlarmsPublish",
            "CloudWatch publishes alarms of this account and region, and nothing else does",
            ["sns:Publish"],
            [self.topic.topic_arn],
            principals=cloudwatch,
        )
        self.topic.add_to_resource_policy(publish.statement())
        explain(self.topic, [publish])
        explain_statements(self.topic, {"AllowPublishThroughSSLOnly": "no message passes without TLS"})
        for number, email in enumerate(emails, start=1):
            sns.CfnSubscription(
                self, f"Email{number}", topic_arn=self.topic.topic_arn, protocol="email", endpoint=email
            )
