"""The environment file and the construct of a VPC accept the same ranges and zones."""

from itertools import combinations
from pathlib import Path

import aws_cdk as cdk
import pytest

from mistral7b import catalog
from mistral7b.environment import EnvironmentFileError, load_environment
from sagemaker_tgi import InvalidPropsError, IsolatedVpc

REGION = "us-east-1"
KINDS = {"ids": catalog.availability_zones(REGION), "names": tuple(f"{REGION}{letter}" for letter in "abcdefgh")}


@pytest.mark.parametrize("prefix", [25, 26, 27])
@pytest.mark.parametrize("kind", KINDS)
def test_two_zones_fit_by_the_rules_where_they_fit_into_the_vpc(kind: str, prefix: int, tmp_path: Path) -> None:
    stack = cdk.Stack()
    verdicts = [
        (pair, _loads(tmp_path, pair, prefix), _builds(stack, pair, prefix)) for pair in combinations(KINDS[kind], 2)
    ]
    assert [verdict for verdict in verdicts if verdict[1] != verdict[2]] == []
    assert all(fits for _, fits, _ in verdicts) == (prefix == 25)


@pytest.mark.parametrize(
    "cidr",
    [
        *("10.0.0.0/16", "10.0.0.0/15", "10.0.0.0/28", "10.0.0.1/16", "10.0.0.0", "10.0.0.0/255.255.0.0", "everywhere"),
        *("0.0.0.0/16", "127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16"),
        *("172.16.0.0/16", "172.17.0.0/16", "172.17.8.0/24"),
    ],
)
def test_the_file_and_the_construct_accept_the_same_ranges(cidr: str, tmp_path: Path) -> None:
    """Each has its own list of reserved ranges: the constructs are a distribution of their own."""
    zones = KINDS["ids"][:2]
    (tmp_path / "dev.yaml").write_text(f"region: {REGION}\nnetwork: {{vpc: {{cidr: '{cidr}'}}}}\n")
    try:
        load_environment(tmp_path, "dev")
        accepted = True
    except EnvironmentFileError:
        accepted = False
    try:
        IsolatedVpc(cdk.Stack(), "Vpc", availability_zones=zones, cidr=cidr)
    except InvalidPropsError:
        assert not accepted
    else:
        assert accepted


def _loads(folder: Path, zones: tuple[str, str], prefix: int) -> bool:
    vpc = f"{{cidr: 10.0.0.0/{prefix}, availability_zones: [{', '.join(zones)}]}}"
    (folder / "dev.yaml").write_text(f"region: {REGION}\nnetwork: {{vpc: {vpc}}}\n")
    try:
        load_environment(folder, "dev")
    except EnvironmentFileError as error:
        return [problem.field for problem in error.problems] != ["network.vpc.cidr"]
    return True


def _builds(scope: cdk.Stack, zones: tuple[str, str], prefix: int) -> bool:
    try:
        IsolatedVpc(scope, "-".join(zones), availability_zones=zones, cidr=f"10.0.0.0/{prefix}")
    except InvalidPropsError:
        return False
    return True
