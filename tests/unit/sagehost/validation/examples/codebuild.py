"""CodeBuild, by the properties of its resources."""

from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json, of

ENVIRONMENT: Json = {"Type": "LINUX_CONTAINER", "Image": "i", "ComputeType": "c"}
PROJECT: Json = {
    "Name": "p",
    "Source": {"Type": "CODEPIPELINE"},
    "Artifacts": {"Type": "CODEPIPELINE"},
    "Environment": ENVIRONMENT,
    "ServiceRole": "$pipeline_role",
}


def _environment(**changes: Any) -> Json:
    return {"Environment": {**ENVIRONMENT, **changes}}


EXAMPLES: Cases = of(
    "CreateProject",
    PROJECT,
    {
        "source": ({"Source": {"Type": "GITHUB"}}, {}),
        "report of builds": (
            {"Source": {"Type": "CODEPIPELINE", "ReportBuildStatus": True}},
            {"Source": {"Type": "CODEPIPELINE", "BuildSpec": "b"}},
        ),
        "privileged mode": (_environment(PrivilegedMode="true"), _environment(PrivilegedMode=False)),
        "Windows": (_environment(Type="WINDOWS_CONTAINER"), _environment(Type="ARM_CONTAINER")),
        "secret": (
            _environment(EnvironmentVariables=[{"Name": "n", "Type": "SECRETS_MANAGER"}]),
            _environment(EnvironmentVariables=[{"Name": "n", "Type": "PLAINTEXT"}]),
        ),
        "cache in S3": ({"Cache": {"Type": "S3"}}, {"Cache": {"Type": "NO_CACHE"}}),
        "logs in S3": (
            {"LogsConfig": {"S3Logs": {"Status": "ENABLED"}}},
            {"LogsConfig": {"S3Logs": {"Status": "DISABLED"}}},
        ),
        "cache without mode": ({"Cache": {"Type": "LOCAL"}}, {"Cache": {"Type": "LOCAL", "Modes": ["m"]}}),
        "role of another account": ({"ServiceRole": "arn:aws:iam::111122223333:role/r"}, {}),
        "role of another service": ({"ServiceRole": "$role"}, {}),
    },
)
