"""Files made to exhaust whoever reads them: refused by name, within the limits of time and memory."""

from pathlib import Path

import pytest

from mistral7b.environment import EnvironmentFileError, load_environment
from tests.unit.environment.mutations import Files
from tests.unit.environment.outcome import Outcomes, memory_limit, time_limit

LIMIT = 32_768
FULL = LIMIT - 100  # bytes of a file that is just read
DEEP = 100_000


def repeated(piece: str, size: int = FULL) -> str:
    """As many pieces as `size` has room for; a `#` in one is its number."""
    count = size // (len(piece) + 3 * ("#" in piece))
    return "".join(piece.replace("#", str(number)) for number in range(count))


REFUSED = {
    "aliases that multiply": "a: &a [x]\n" + "".join(f"f{n}: &f{n} [{f'*f{n - 1}, ' * 9} x]\n" for n in range(1, 99)),
    "aliases alone": f"a: &a [x]\nb: [{repeated('*a,')}]",
    "an alias in itself": "tags: &a {x: *a}\n",
    "lists in lists": f"tags: {repeated('[')}",
    "mappings in mappings": f"tags: {repeated('{a: ')}",
    "keys in keys": repeated("? "),
    "lists by dashes": f"tags:\n  {repeated('- ')}",
    "an ever deeper indent": "".join(f"{' ' * depth}a:\n" for depth in range(350)),
    "one long value": f"region: {repeated('a')}",
    "one long misspelt name": f"? {repeated('region')}\n: x",
    "names like a field": repeated("regi#n: 1\n"),
    "names like a launcher variable": "tgi:\n" + repeated(" MAX_INPUT_L#: 1\n"),
    "sections": repeated("f#: {a: 1}\n"),
    "one name over and over": repeated("a: 1\n"),
    "tags": "region: us-east-1\ntags:\n" + repeated(" k#: v\n"),
    "zones": "region: us-east-1\nnetwork: {existing_vpc: {vpc_id: vpc-12345678, cidr: 10.0.0.0/16, subnet_ids: "
    f"[subnet-12345678, subnet-12345679], availability_zones: [{repeated('a,', FULL - 200)} b]}}}}",
    "integers of 4,300 digits": repeated(f"f#: {'9' * 4300}\n"),
    "an integer of 30,000 digits": f"instance: {{count: {'9' * 30_000}}}",
    "a number beyond any": "region: us-east-1\nauto_scaling: {target_concurrent_requests: 1e999}",
    "documents": repeated("---\n"),
    "tag directives": repeated("%TAG !a#! x\n") + "---\na: b\n",
    "a tag that calls": "region: !!python/object/apply:os.system ['id']",
    "backslashes": f'"{repeated(chr(92))}',
    "a comment as long as the limit and one": "region: us-east-1\n#" + " " * LIMIT,
    "levels beyond the limit of size": f"tags: {'[' * DEEP}",
    "50 MB": "region: us-east-1\n" * 2_800_000,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_made_to_exhaust_its_reader_is_refused_within_the_limits(name: str, tmp_path: Path) -> None:
    outcomes = Outcomes(tmp_path)
    with memory_limit():
        outcomes.observe(Files(REFUSED[name]))
        outcomes.observe(Files(REFUSED[name], common=REFUSED[name]))
    assert outcomes.refused == 2


def test_a_file_of_10_gb_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "dev.yaml").open("wb") as stream:
        stream.truncate(10 * 1000**3)
    with memory_limit(), time_limit(), pytest.raises(EnvironmentFileError) as caught:
        load_environment(tmp_path, "dev")
    assert "it has 10,000,000,000 bytes, and the limit is 32,768" in str(caught.value)


def test_a_file_as_large_as_the_limit_is_read(tmp_path: Path) -> None:
    text = "region: us-east-1\n"
    (tmp_path / "dev.yaml").write_text(text + "#" * (LIMIT - len(text)))
    with time_limit():
        assert load_environment(tmp_path, "dev").region == "us-east-1"


def test_of_thousands_of_problems_the_first_fifty_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("region: us-east-1\n" + "".join(f"f{number}: 1\n" for number in range(3000)))
    with pytest.raises(EnvironmentFileError) as caught:
        load_environment(tmp_path, "dev")
    assert len(caught.value.problems) == 3000
    assert str(caught.value).endswith("… and 2950 more")
