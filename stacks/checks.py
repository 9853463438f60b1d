"""What every synth is checked against."""

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

VALIDATE = "validate"


def add_checks(app: cdk.App) -> None:
    """Lets a synth fail on findings of the AWS Solutions pack that nobody has acknowledged.

    `-c validate=true` adds the CDK's check of each template against CloudFormation's schemas. It takes several seconds,
    as much as all the rest of a synth, and the tests run it on every template; so the app, unlike others, leaves
    it out otherwise (`builtin_cloud_formation_validation=False`).
    """
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    if str(app.node.try_get_context(VALIDATE)).lower() == "true":
        cdk.Validations.of(app).add_plugins(cdk.CloudFormationValidatePlugin())
