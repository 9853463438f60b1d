"""Ways into the embedded AWS, and what is bootstrapped."""

import pytest

from mistral7b.environment import Environment
from mistral7b.operate.place import Place
from mistral7b.promotion import PipelineSettings, PromotedEnvironment, Promotion
from mistral7b_cli.rehearsal.cloud import Cloud

TOOLS, OTHER = "111111111111", "222222222222"


def promotion(*environments: tuple[str, str]) -> Promotion:
    """A pipeline of us-east-1 with environments in these accounts and regions."""
    settings = PipelineSettings.model_validate(
        {
            "account": TOOLS,
            "region": "us-east-1",
            "source": {"repository": "team/mistral"},
            "environments": [{"name": f"e{number}"} for number, _ in enumerate(environments)],
        }
    )
    promoted = (
        PromotedEnvironment(Environment(name=f"e{number}", account=account, region=region), account, (), False)
        for number, (account, region) in enumerate(environments)
    )
    return Promotion(settings, None, tuple(promoted))  # type: ignore[arg-type]  # the file is not read


def where(*environments: tuple[str, str]) -> list[tuple[str, str]]:
    """The accounts and regions of a pipeline, in their order."""
    return [(one.account, one.region) for one in promotion(*environments).places()]


def test_each_account_and_region_is_bootstrapped_once_the_pipelines_first() -> None:
    assert where((OTHER, "us-east-1"), (OTHER, "us-east-1"), (TOOLS, "us-east-1")) == [
        (TOOLS, "us-east-1"),
        (OTHER, "us-east-1"),
    ]


def test_the_pipelines_account_is_bootstrapped_in_every_region_it_deploys_to() -> None:
    assert where((OTHER, "eu-west-1")) == [(TOOLS, "us-east-1"), (TOOLS, "eu-west-1"), (OTHER, "eu-west-1")]


def test_other_accounts_trust_the_pipelines() -> None:
    [_, other] = promotion((OTHER, "us-east-1")).places()
    assert other.cdk_arguments() == [
        "bootstrap",
        f"aws://{OTHER}/us-east-1",
        "--trust",
        TOOLS,
        "--cloudformation-execution-policies",
        "arn:aws:iam::aws:policy/AdministratorAccess",
    ]


def test_the_pipelines_own_account_needs_no_trust() -> None:
    assert promotion((TOOLS, "us-east-1")).places()[0].cdk_arguments() == ["bootstrap", f"aws://{TOOLS}/us-east-1"]


def test_a_programs_environment_has_no_aws_settings_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("SHELL", "/bin/zsh")
    environ = Cloud("http://localhost:1", "secret").environ(Place(OTHER, "eu-west-1"))
    assert "AWS_PROFILE" not in environ
    assert (environ["AWS_ENDPOINT_URL"], environ["AWS_REGION"]) == ("http://localhost:1", "eu-west-1")
    assert OTHER in environ["AWS_ACCESS_KEY_ID"]
    assert environ["SHELL"] == "/bin/zsh"


def test_the_same_client_serves_the_same_account_and_region() -> None:
    cloud = Cloud("http://localhost:1", "secret")
    assert cloud.client("sts", OTHER, "us-east-1") is cloud.client("sts", OTHER, "us-east-1")
    assert cloud.client("sts", OTHER, "us-east-1") is not cloud.client("sts", TOOLS, "us-east-1")


def test_a_client_acts_in_its_account_whatever_the_users_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    client = Cloud("http://localhost:1", "secret").client("sts", OTHER, "eu-west-1")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://localhost:1", "eu-west-1")
