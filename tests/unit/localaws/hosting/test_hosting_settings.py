"""Settings of the embedded endpoints."""

import pytest

from localaws.hosting.settings import HostingSettings


def test_an_endpoint_takes_a_second_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALAWS_ENDPOINT_SECONDS", raising=False)
    monkeypatch.delenv("LOCALAWS_ANSWER_TOKENS", raising=False)
    assert HostingSettings.from_environment() == HostingSettings(endpoint_seconds=1.0, answer_tokens=0)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAWS_ENDPOINT_SECONDS", "0.5")
    monkeypatch.setenv("LOCALAWS_ANSWER_TOKENS", "300")
    assert HostingSettings.from_environment() == HostingSettings(endpoint_seconds=0.5, answer_tokens=300)


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", ""])
def test_a_setting_that_is_no_number_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LOCALAWS_ENDPOINT_SECONDS", text)
    with pytest.raises(ValueError, match="LOCALAWS_ENDPOINT_SECONDS must be a"):
        HostingSettings.from_environment()
