"""What every synth is checked against."""

from collections.abc import Sequence

import aws_cdk as cdk
import jsii
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NagPack, NIST80053R5Checks, PCIDSS321Checks
from constructs import IConstruct

from mistral7b.environment import CompliancePack

VALIDATE = "validate"
_UNCHECKED = "this assembly was made by `cdk ls` or `cdk destroy`, which check nothing. fix: make one with `cdk synth`"
PACKS: dict[CompliancePack, type[NagPack]] = {
    "aws-solutions": AwsSolutionsChecks,
    "nist-800-53-r5": NIST80053R5Checks,
    "pci-dss-3.2.1": PCIDSS321Checks,
    "hipaa": HIPAASecurityChecks,
}


def add_compliance_packs(scope: IConstruct, packs: Sequence[CompliancePack]) -> None:
    """Lets a synth fail on what these packs find in `scope` and nobody has acknowledged."""
    for pack in () if is_listed(scope) else packs:
        cdk.Validations.of(scope).add_plugins(ScopedPack(PACKS[pack](scope), scope))


@jsii.implements(cdk.IPolicyValidationPlugin)
class ScopedPack:
    """A pack that looks at one construct and what is in it.

    By itself each pack looks at the whole app, once for every stage that asks for it, whatever the others ask for.
    """

    def __init__(self, pack: NagPack, scope: IConstruct) -> None:
        """Defines what it looks at."""
        self._pack, self._scope = pack, scope

    @property
    def name(self) -> str:
        """The pack's name, by which its findings are acknowledged."""
        return str(self._pack.name)

    @property
    def version(self) -> str | None:
        """The pack's version."""
        return self._pack.version

    @property
    def rule_ids(self) -> list[str] | None:
        """The pack's rules, where it lists them."""
        return self._pack.rule_ids

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """What the pack finds in the scope."""
        del context  # of the whole app
        return self._pack.validate_scope(self._scope)


def add_template_validation(app: cdk.App) -> None:
    """Lets a synth fail where a template breaks CloudFormation's schemas and rules (`validateAgainstDefaultRules`).

    It takes about 1.5 s; `-c validate=false` leaves it out, for an edit and a look. The CDK's own switch
    (`builtin_cloud_formation_validation`) is off, as it knows no such exception. `cdk ls` and `cdk destroy` need no
    check: see `mark_unchecked`.
    """
    if not is_listed(app) and str(app.node.try_get_context(VALIDATE)).lower() != "false":
        cdk.Validations.of(app).add_plugins(cdk.CloudFormationValidatePlugin())


def mark_unchecked(stack: cdk.Stack) -> None:
    """Lets `cdk deploy --app cdk.out` refuse the stack where no check has looked at it; `cdk destroy` does not mind."""
    if is_listed(stack):
        stack.node.add_metadata("aws:cdk:error", _UNCHECKED)


def is_listed(scope: IConstruct) -> bool:
    """Whether the CDK CLI wants to know the stacks, not to deploy them: `cdk ls` and `cdk destroy` say so."""
    return bool(scope.node.try_get_context("aws:cdk:bundling-stacks") == [])
