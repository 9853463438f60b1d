"""What is published to a topic stays on this machine."""

from __future__ import annotations

from typing import Any

import pytest
from moto.sns.models import Subscription

from sagehost import moto_app, patches
from tests.unit.fresh_accounts import fresh_account


@pytest.mark.parametrize("corrected", [True, False], ids=["corrected", "as moto has it"])
def test_an_address_is_not_called(corrected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    patches.install("sns")
    called: list[str] = []

    def post(url: str, *_: Any, **__: Any) -> None:
        called.append(url)

    monkeypatch.setattr("moto.sns.models.requests.post", post)
    if not corrected:
        monkeypatch.setattr(Subscription, "publish", Subscription.publish.__wrapped__)  # type: ignore[attr-defined]
    sns = moto_app.client("sns", fresh_account(), "us-east-1")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://pager.example/hook")
    sns.publish(TopicArn=topic, Message="an alarm")
    assert called == ([] if corrected else ["https://pager.example/hook"])
