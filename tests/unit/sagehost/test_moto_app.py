"""moto's services in this process."""

from unittest.mock import Mock

import pytest
from moto import backends
from moto.core import responses

from sagehost import moto_app
from tests.unit.fresh_accounts import fresh_account


def test_moto_neither_lists_its_services_nor_inspects_one_at_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    queues = moto_app.client("sqs", fresh_account(), "us-east-1")
    queues.list_queues()
    names, listed = vars(responses)["method_names_from_class"], Mock()
    monkeypatch.setattr(backends, "list_of_moto_modules", listed)
    before = names.cache_info()
    queues.list_queues()
    listed.assert_not_called()
    assert names.cache_info().misses == before.misses
    assert names.cache_info().hits > before.hits
