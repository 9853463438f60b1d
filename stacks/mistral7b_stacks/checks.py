"""What every synth is checked against."""

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from constructs import IConstruct

from mistral7b.environment import CompliancePack
from mistral7b_stacks import verdicts
from mistral7b_stacks.verdicts import Verdicts, is_within

if TYPE_CHECKING:
    from cdk_nag import NagPack

_UNCHECKED = "this assembly was made by `cdk ls` or `cdk destroy`, which check nothing. fix: make one with `cdk synth`"
PACKS: dict[CompliancePack, str] = {
    "aws-solutions": "AwsSolutions",
    "nist-800-53-r5": "NIST.800.53.R5",
    "pci-dss-3.2.1": "PCI.DSS.321",
    "hipaa": "HIPAA.Security",
}
"""cdk-nag's names of the packs."""
_VERDICTS: "WeakKeyDictionary[IConstruct, Verdicts]" = WeakKeyDictionary()
_SOURCES = [Path(file).read_text(encoding="utf-8") for file in (__file__, verdicts.__file__)]


class InvalidContextError(ValueError):
    """An unknown value of `cdk -c KEY=VALUE`."""


def new_pack(pack: CompliancePack, scope: IConstruct) -> "NagPack":
    """A compliance pack. cdk-nag is imported here, as that takes a tenth of a synth that needs none."""
    rules: NagPack = getattr(import_module("cdk_nag"), f"{PACKS[pack].replace('.', '')}Checks")(scope)
    return rules


def add_compliance_packs(scope: IConstruct, packs: Sequence[CompliancePack]) -> None:
    """Makes a synth fail on unacknowledged findings of these packs in `scope`.

    Added by itself, a pack would check the whole app once for each stage, whatever packs the other stages have.
    """
    for pack in () if is_listed(scope) else packs:
        check = Check(scope, PACKS[pack], "cdk-nag", lambda _, pack=pack: new_pack(pack, scope).validate_scope(scope))
        cdk.Validations.of(scope).add_plugins(check)


def add_template_validation(app: cdk.App) -> None:
    """Makes a synth fail if a template breaks CloudFormation's schemas and rules (`validateAgainstDefaultRules`).

    The CDK's own switch (`builtin_cloud_formation_validation`) has to be off: it would validate every template at every
    synth, for `cdk ls` and `cdk destroy`, too. These need no check: see `mark_unchecked`.
    """
    if not is_listed(app):
        cdk.Validations.of(app).add_plugins(Check(app, "CloudFormation Validate", "aws-cdk-lib", _validate_templates))


def _validate_templates(stacks: Sequence[cdk.PolicyValidationStack]) -> cdk.PolicyValidationPluginReport:
    return cdk.CloudFormationValidatePlugin().validate(cast(Any, _Templates(stacks)))


@jsii.implements(cdk.IPolicyValidationContext)
class _Templates:
    """Some of a synth's templates. The CDK's own plug-in reads nothing else of its context."""

    def __init__(self, stacks: Sequence[cdk.PolicyValidationStack]) -> None:
        self._stacks = list(stacks)

    @property
    def stack_templates(self) -> list[cdk.PolicyValidationStack]:
        return self._stacks


@jsii.implements(cdk.IPolicyValidationPlugin)
class Check:
    """A plug-in that checks one construct and what is in it, unless the current templates have passed before."""

    rule_ids: list[str] | None = None  # listing them would load them

    def __init__(
        self, scope: IConstruct, name: str, package: str, find: Callable[..., cdk.PolicyValidationPluginReport]
    ) -> None:
        """Defines a check of `scope` by rules of a Python package; `find` reports the findings in given stacks."""
        self._scope, self._name, self._version, self._find = scope, name, version(package), find

    @property
    def name(self) -> str:
        """The name of the check, by which its findings are acknowledged."""
        return self._name

    @property
    def version(self) -> str:
        """The version of its rules."""
        return self._version

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """What the check finds."""
        scope = self._scope.node
        try:
            stacks = [one for one in context.stack_templates if is_within(one.stack_construct_path, scope.path)]
            if known := _VERDICTS.get(scope.root):
                stacks = known.new((self._name, self._version, *_SOURCES), stacks)
            return self._find(stacks) if stacks else cdk.PolicyValidationPluginReport(success=True, violations=[])
        except Exception as error:  # noqa: BLE001 - the CDK CLI would deploy what a plug-in that raises has not checked
            reason = f"{type(error).__name__}: {error}"
            every = cdk.PolicyViolatingResource(construct_path="", locations=[])  # no stack can be deployed
            broken = cdk.PolicyViolation(
                rule_name="CheckFailed", description=reason, severity="fatal", violating_resources=[every]
            )
            return cdk.PolicyValidationPluginReport(success=False, violations=[broken])


def remember_verdicts(app: cdk.App, folder: Path) -> Verdicts | None:
    """Makes the app's checks skip stacks that passed before, by the verdicts in `folder`; never in CI."""
    asked = app.node.try_get_context("validation")
    if asked not in (None, "full"):
        raise InvalidContextError(
            f"-c validation={asked}: the only value is full. fix: -c validation=full, or leave it out"
        )
    if asked or os.environ.get("CODEBUILD_BUILD_ID") or os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return None
    return _VERDICTS.setdefault(app, Verdicts(app, folder))


def mark_unchecked(stack: cdk.Stack) -> None:
    """Makes `cdk deploy --app cdk.out` refuse a stack that no check has read; `cdk destroy` still works."""
    if is_listed(stack):
        stack.node.add_metadata("aws:cdk:error", _UNCHECKED)


def is_listed(scope: IConstruct) -> bool:
    """Whether the CDK CLI only lists or destroys stacks: `cdk ls` and `cdk destroy` pass this context."""
    return bool(scope.node.try_get_context("aws:cdk:bundling-stacks") == [])
