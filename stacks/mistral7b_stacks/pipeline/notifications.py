"""Notifications of executions that have ended, and of approvals that wait."""

import json
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from mistral7b.promotion.names import PIPELINE_NAME, REVIEW_ACTION, SECURITY_APPROVAL
from sagemaker_tgi import Permission, add_to_resource_policy, explain

_PATHS = {
    "state": "$.detail.state",
    "stage": "$.detail.stage",
    "action": "$.detail.action",
    "execution": "$.detail.execution-id",
    "time": "$.time",
}
"""Fields of an event that a message may name, by their placeholder."""


class Notifications(Construct):
    """An encrypted topic with its subscriptions, and the rules that publish pipeline events to it."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.Key, emails: Sequence[str]) -> None:
        """Defines topic and rules. The policy of `key` lets EventBridge use it; SNS asks each address to confirm."""
        super().__init__(scope, construct_id)
        topic = sns.Topic(
            self,
            "Topic",
            topic_name=PIPELINE_NAME,  # a literal, so that the key's policy can name the topic that the key encrypts
            display_name="Mistral 7B pipeline",
            master_key=kms.Key.from_key_arn(self, "Key", key.key_arn),
        )
        self.topic_arn: str = topic.topic_arn
        for number, email in enumerate(emails, start=1):
            sns.CfnSubscription(self, f"Email{number}", topic_arn=topic.topic_arn, protocol="email", endpoint=email)
        rules = [
            self._rule(
                "Execution",
                "Pipeline Execution",
                "Executions that have ended",
                {"state": ["FAILED", "STOPPED", "SUCCEEDED"]},
                "<state>. Execution <execution>, <time>.",
            ),
            self._rule(
                "Approval",
                "Action Execution",
                "Approvals that wait",
                {"state": ["STARTED"], "type": {"category": ["Approval"]}},
                "stage <stage> waits for <action>. Execution <execution>, <time>. "
                f"({REVIEW_ACTION} answers {SECURITY_APPROVAL} by itself where nothing broadens permissions.)",
            ),
        ]
        self._grant_publish(topic, key, [rule.attr_arn for rule in rules])

    def _rule(
        self, construct_id: str, kind: str, description: str, detail: dict[str, Any], message: str
    ) -> events.CfnRule:
        """A rule for changes of state. Source: CodePipeline user guide, "Monitoring CodePipeline events"."""
        url = f"https://{cdk.Stack.of(self).region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/"
        transformer = events.CfnRule.InputTransformerProperty(
            input_paths_map={name: path for name, path in _PATHS.items() if f"<{name}>" in message},
            input_template=json.dumps(f"{PIPELINE_NAME}: {message} {url}{PIPELINE_NAME}/view"),
        )
        return events.CfnRule(
            self,
            construct_id,
            description=f"{PIPELINE_NAME}: {description}",
            event_pattern={
                "source": ["aws.codepipeline"],
                "detail-type": [f"CodePipeline {kind} State Change"],
                "detail": {"pipeline": [PIPELINE_NAME], **detail},
            },
            state="ENABLED",
            targets=[events.CfnRule.TargetProperty(id="Topic", arn=self.topic_arn, input_transformer=transformer)],
        )

    def _grant_publish(self, topic: sns.Topic, key: kms.Key, rule_arns: Sequence[str]) -> None:
        eventbridge = [iam.ServicePrincipal("events.amazonaws.com")]
        rules = Permission(
            sid="RulesPublish",
            reason="EventBridge publishes executions and approvals, for these rules only",
            principals=eventbridge,
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={
                "ArnEquals": {"aws:SourceArn": list(rule_arns)},
                "StringEquals": {"aws:SourceAccount": topic.stack.account},
            },
        )
        tls = Permission(
            sid="DenyWithoutTls",
            reason="no message passes without TLS",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        )
        policy = sns.TopicPolicy(self, "Policy", topics=[topic])
        policy.document.add_statements(rules.statement(), tls.statement())
        explain(policy, [rules, tls])
        topic_arn = topic.stack.format_arn(service="sns", resource=PIPELINE_NAME)
        add_to_resource_policy(
            key,
            Permission(
                sid="EventsEncrypt",
                reason="EventBridge encrypts what it publishes to this one topic. `*` is the key itself",
                principals=eventbridge,
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                # The topic's ARN holds the account. `aws:SourceAccount` would never match: SNS developer guide, "Enable
                # compatibility between event sources from AWS services and encrypted topics".
                conditions={"ArnEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic_arn}},
            ),
        )
