"""A user's mistakes end with a message that says what to mend, never with a traceback."""

from tests.e2e.conftest import REGION, TOOLS_ACCOUNT, User, succeeded

DEAD_PROXY = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


def test_a_wrong_environment_file_stops_the_cdk_with_every_problem(user: User) -> None:
    with user.having("wrong", {"region": "us-esat-1", "instance": {"cuont": 1}}):
        result = user.cdk("list")
    said = result.stdout + result.stderr
    assert result.returncode != 0
    assert "did you mean us-east-1?" in said
    assert "did you mean count?" in said
    assert "Traceback" not in said


def test_bootstrap_of_a_named_environment_does_not_read_the_environment_files(user: User) -> None:
    with user.having("wrong", {"region": "us-esat-1"}):
        succeeded(user.cdk("bootstrap", f"aws://{TOOLS_ACCOUNT}/{REGION}"))
        selected = user.cdk("bootstrap", f"aws://*/{REGION}")
    assert selected.returncode != 0
    assert "did you mean us-east-1?" in selected.stdout + selected.stderr


def test_a_synth_needs_neither_network_nor_credentials(user: User) -> None:
    without = {name: "" for name in user.environ if name.startswith("AWS_")}
    result = succeeded(user.cdk("synth", "--quiet", extra=without | DEAD_PROXY))
    assert "Traceback" not in result.stderr


def test_asking_an_environment_that_is_not_deployed_says_how_to_deploy_it(user: User) -> None:
    with user.having("undeployed", {"region": "us-east-1"}):
        result = user.mistral7b("invoke", "undeployed", "Hello!")
    assert result.returncode == 3
    assert "cdk deploy 'undeployed/*'" in result.stderr


def test_an_unknown_environment_is_named_with_the_nearest(user: User) -> None:
    result = user.mistral7b("settings", "dve")
    assert result.returncode == 2
    assert "Did you mean dev?" in result.stderr
