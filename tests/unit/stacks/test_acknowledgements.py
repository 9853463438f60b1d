"""The findings that are accepted, all of them: a new one has to be argued for here, too."""

import re
from unittest.mock import patch

import aws_cdk as cdk
import pytest

from mistral7b_stacks.checks import PACKS, new_pack
from tests.variants import FOLDERS, define_folder, new_app

Acknowledgements = list[tuple[str, str, str]]
NAMED_RULE_PACKS = ("HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321")


def in_named_packs(rule: str) -> set[str]:
    return {f"{pack}-{rule}" for pack in NAMED_RULE_PACKS}


# By stack and construct; the numbers of subnets and wildcard resources left out.
ACCEPTED = {
    ("endpoint", "Default/Config"): in_named_packs("SageMakerEndpointConfigurationKMSKeyConfigured"),
    ("endpoint", "Default/Role"): {"AwsSolutions-IAM5", *in_named_packs("IAMNoInlinePolicy")},
    ("endpoint", "OfficeHours/DeadLetters"): {"AwsSolutions-SQS3"},
    ("endpoint", "OfficeHours/Role"): in_named_packs("IAMNoInlinePolicy"),
    ("endpoint", "GateRole"): in_named_packs("IAMNoInlinePolicy"),
    ("github", "DeployRole"): in_named_packs("IAMNoInlinePolicy"),
    ("github", "ReviewRole"): in_named_packs("IAMNoInlinePolicy"),
    ("endpoint", "Network/FlowLog/Role"): {"AwsSolutions-IAM5", *in_named_packs("IAMNoInlinePolicy")},
    ("endpoint", "Network/Vpc"): {"CloudFormation-Validate::W3010"},
    ("endpoint", "ExistingVpc"): {"@aws-cdk/aws-ec2:noSubnetRouteTableId"},
    ("endpoint", "Network/Vpc/Resource"): in_named_packs("VPCDefaultSecurityGroupClosed"),
    ("endpoint", "DataCapture"): in_named_packs("S3BucketReplicationEnabled"),
    ("endpoint", "DataCapture/AccessLog"): in_named_packs("S3DefaultEncryptionKMS"),
    ("pipeline", "Artifacts"): in_named_packs("S3BucketReplicationEnabled"),
    ("pipeline", "Artifacts/AccessLog"): in_named_packs("S3DefaultEncryptionKMS"),
    ("pipeline", "Builds/*Role"): {"AwsSolutions-IAM5", *in_named_packs("IAMNoInlinePolicy")},
    ("pipeline", "Pipeline"): {f"{pack}-CodeBuildProjectSourceRepoUrl" for pack in ("HIPAA.Security", "PCI.DSS.321")},
    ("pipeline", "Role"): {"AwsSolutions-IAM5", *in_named_packs("IAMNoInlinePolicy")},
    ("pipeline-eu-west-1", "Artifacts"): in_named_packs("S3BucketReplicationEnabled"),
    ("pipeline-eu-west-1", "Artifacts/AccessLog"): in_named_packs("S3DefaultEncryptionKMS"),
}


@pytest.fixture(scope="module")
def acknowledgements(apps: dict[str, cdk.App]) -> Acknowledgements:
    """Every acknowledgement: path, finding, reason."""
    return [
        (construct.node.path, finding.removeprefix("Annotation::"), reason)
        for app in apps.values()
        for construct in app.node.find_all()
        for entry in construct.node.metadata
        if entry.type == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
        for finding, reason in dict(entry.data).items()
    ]


def test_only_the_accepted_findings_are_acknowledged(acknowledgements: Acknowledgements) -> None:
    accepted: dict[tuple[str, str], set[str]] = {}
    for path, finding, _ in acknowledgements:
        stack, construct = (path if path.startswith("pipeline") else path.partition("/")[2]).split("/", 1)
        construct = re.sub(r"^Builds/.*Role$", "Builds/*Role", construct)
        accepted.setdefault((stack, construct), set()).add(finding.partition("[")[0])
    assert accepted == ACCEPTED


def test_acknowledged_wildcards_stand_for_names_that_aws_generates(acknowledgements: Acknowledgements) -> None:
    """Log streams, artifacts of the pipeline, and actions without a resource."""
    resources = {
        finding.partition("[Resource::")[2].removesuffix("]").replace("<AWS::AccountId>", "<account>")
        for _, finding, _ in acknowledgements
        if finding.startswith("AwsSolutions-IAM5")
    }
    of_aws = (
        r"\*",
        r"arn:[^:]+:logs:[^:]+:[^:]+:log-group:/mistral7b/[^*]+:\*",
        r"arn:aws:logs:[^:]+:\d+:log-group:/mistral7b/pipeline:log-stream:mistral-7b-pipeline-[^*]+(-Gate\*)?/\*",
        r"<Artifacts.+\.Arn>/mistral-7b-pipeline/((Source|Synth_Outp)/)?\*",
        r"arn:[^:]+:s3:::mistral-7b-pipeline-\d+-eu-west-1/mistral-7b-pipeline/\*",
        r"arn:aws:kms:eu-west-1:\d+:key/\*",
        r"arn:aws:codebuild:us-east-1:\d+:project/mistral-7b-pipeline-\*",
    )
    assert [r for r in resources if not any(re.fullmatch(pattern, r) for pattern in of_aws)] == []


def test_every_acknowledgement_has_a_reason(acknowledgements: Acknowledgements) -> None:
    assert [entry for entry in acknowledgements if len(entry[2].split()) < 6] == []


@pytest.fixture(scope="module")
def findings() -> list[tuple[str, str]]:
    """What the packs find where nothing is acknowledged: path and finding."""
    found: list[tuple[str, str]] = []
    for folder in FOLDERS:
        app = new_app()
        with patch.object(cdk.Validations, "acknowledge"):
            define_folder(app, folder, checked=False)
        app.synth()
        found += [
            (str(resource.construct_path), violation.rule_name)
            for pack in PACKS
            for violation in new_pack(pack, app).validate_scope(app).violations
            for resource in violation.violating_resources
        ]
    return found


def test_every_acknowledged_finding_is_one_of_a_pack(
    acknowledgements: Acknowledgements, findings: list[tuple[str, str]]
) -> None:
    of_packs = ("AwsSolutions-", "NIST.", "PCI.", "HIPAA.")
    assert [
        (path, finding)
        for path, finding, _ in acknowledgements
        if finding.startswith(of_packs)
        and not any(rule == finding and f"{found}/".startswith(f"{path}/") for found, rule in findings)
    ] == []


def test_every_pack_finds_something_without_acknowledgements(findings: list[tuple[str, str]]) -> None:
    assert {rule.split("-", maxsplit=1)[0] for _, rule in findings} == {"AwsSolutions", *NAMED_RULE_PACKS}
