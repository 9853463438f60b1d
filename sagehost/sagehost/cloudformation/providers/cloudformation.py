"""Types without a service."""

from sagehost.cloudformation.providers.provider import Setting, SettingsOnly

PROVIDERS = (
    SettingsOnly(
        "AWS::CDK::Metadata",
        id="{generated}",
        settings=(Setting(frozenset(["Analytics", "Modules"]), lambda *_: None),),
    ),
    # WaitCondition, which waits for signals at this address, is not emulated.
    SettingsOnly(
        "AWS::CloudFormation::WaitConditionHandle",
        id="https://cloudformation-waitcondition-{region}.s3.amazonaws.com/{generated}",
    ),
)
