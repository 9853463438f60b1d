"""A command whose packages are not installed says what installs them."""

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules[{package!r}] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == {package!r} else find(name, *more)
from mistral7b_cli import main
sys.argv = ["mistral7b", *{arguments!r}]
main()
"""


@pytest.mark.parametrize(
    ("package", "arguments", "part"),
    [
        ("typer", ["models"], "-r requirements/client.txt"),
        ("numpy", ["simulate", "--duration", "1m"], "-r requirements/capacity.txt"),
        ("locust", ["bench", "dev"], "-r requirements/bench.txt"),
        ("moto", ["local", "up", "--port", "0"], "-r requirements/local.txt"),
        ("sagehost", ["local", "up", "--port", "0"], "--no-deps -e scaling_rules -e constructs -e sagehost"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    package: str, arguments: list[str], part: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = WITHOUT.format(package=package, arguments=arguments)
    folder = tmp_path_factory.mktemp("elsewhere")
    run = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert f"mistral7b: this needs the package {package}\n" in run.stderr
    assert f"pip install {part}, or make setup" in run.stderr
    assert "Traceback" not in run.stderr
