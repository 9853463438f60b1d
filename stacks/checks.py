"""What every synth is checked against."""

from collections.abc import Sequence

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

from mistral7b.environment import CompliancePack

VALIDATE = "validate"
PACKS: dict[CompliancePack, type] = {
    "aws-solutions": AwsSolutionsChecks,
    "nist-800-53-r5": NIST80053R5Checks,
    "pci-dss-3.2.1": PCIDSS321Checks,
    "hipaa": HIPAASecurityChecks,
}


def add_compliance_packs(stage: cdk.Stage, packs: Sequence[CompliancePack]) -> None:
    """Lets a synth fail on findings of these packs that nobody has acknowledged."""
    for pack in packs:
        cdk.Validations.of(stage).add_plugins(PACKS[pack](stage))


def add_template_validation(app: cdk.App) -> None:
    """Lets a synth fail where a template breaks CloudFormation's schemas and rules (`validateAgainstDefaultRules`).

    It takes about 1.5 s; `-c validate=false` leaves it out, for an edit and a look. The CDK's own switch
    (`builtin_cloud_formation_validation`) is off, as it knows no such exception.
    """
    if str(app.node.try_get_context(VALIDATE)).lower() != "false":
        cdk.Validations.of(app).add_plugins(cdk.CloudFormationValidatePlugin())
