"""Settings of the embedded endpoints."""

from dataclasses import fields

import pytest

from sagehost.hosting.settings import HostingSettings


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in fields(HostingSettings):
        monkeypatch.delenv(f"SAGEHOST_{name.name.upper()}", raising=False)


def test_an_endpoint_takes_a_second_and_its_interfaces_two_unless_told_otherwise() -> None:
    assert HostingSettings.from_environment() == HostingSettings(1.0, 2.0, 6.0, speed=1.0)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEHOST_ENDPOINT_SECONDS", "0.5")
    monkeypatch.setenv("SAGEHOST_INTERFACE_SECONDS", "10")
    monkeypatch.setenv("SAGEHOST_DEPENDENCY_SECONDS", "5")
    monkeypatch.setenv("SAGEHOST_SPEED", "20")
    assert HostingSettings.from_environment() == HostingSettings(0.5, 10.0, 5.0, speed=20.0)


def test_cloudformation_waits_longer_for_interfaces_that_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEHOST_INTERFACE_SECONDS", "60")
    assert HostingSettings.from_environment().dependency_seconds == 180


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", ""])
def test_a_setting_that_is_no_number_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SAGEHOST_ENDPOINT_SECONDS", text)
    with pytest.raises(ValueError, match="SAGEHOST_ENDPOINT_SECONDS must be a number from 0, not"):
        HostingSettings.from_environment()
