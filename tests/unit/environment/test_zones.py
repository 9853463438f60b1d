"""The file's rule of zones in a small VPC, and the construct that cuts the VPC, say the same."""

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
