"""ECR: repositories."""

from sagehost.cloudformation.providers.provider import Provider, setting

PROVIDERS = (
    Provider(
        "AWS::ECR::Repository",
        find_with="list_images",
        sends="RepositoryName EncryptionConfiguration",
        delete_sends="EmptyOnDelete",
        rename={"EmptyOnDelete": "force"},
        name="RepositoryName",
        lower_name=True,
        settings=(
            setting("ImageTagMutability", "put_image_tag_mutability", default="MUTABLE"),
            setting("ImageScanningConfiguration", "put_image_scanning_configuration", default={"scanOnPush": False}),
            setting("LifecyclePolicy", "put_lifecycle_policy", parameter="*"),
            setting(
                "RepositoryPolicyText",
                "set_repository_policy",
                parameter="policyText",
            ),
        ),
        attributes={
            "Arn": "arn:{partition}:ecr:{region}:{account}:repository/{id}",
            "RepositoryUri": "{account}.dkr.ecr.{region}.{suffix}/{id}",
        },
    ),
)
