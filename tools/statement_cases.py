"""In which case a policy statement, or a value in it, is there: by fields of the environment or pipeline file.

Kept by hand, and compared with every environment and pipeline whenever the document is written: a case that is wrong
for one of them is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tools.statement_subjects import Subject


@dataclass(frozen=True)
class Case:
    """A condition on the file, in words and as a predicate."""

    wording: str
    holds: Callable[[Subject], bool]


OWN_VPC = Case("in a VPC of its own", lambda s: s.env.own_vpc is not None)
OWN_RUNTIME = Case(
    "in a VPC of its own, with `network.runtime_endpoint`",
    lambda s: s.env.own_vpc is not None and s.env.network.runtime_endpoint,
)
OWN_KEY = Case("unless `encryption.kms_key_arn` is given", lambda s: s.env.encryption.kms_key_arn is None)
OWN_KEY_AND_VPC = Case(
    "in a VPC of its own, unless `encryption.kms_key_arn` is given",
    lambda s: s.env.own_vpc is not None and s.env.encryption.kms_key_arn is None,
)
DATA_CAPTURE = Case("with `data_capture`", lambda s: s.env.data_capture is not None)
CALLERS = Case("for each of `callers.role_names`", lambda s: bool(s.env.callers.role_names))
ONLY_FROM_VPC = Case("with `callers.only_from_vpc`", lambda s: s.env.callers.only_from_vpc)
ONE_ARCHIVE = Case("weights in one archive", lambda s: s.env.artifact_uri.endswith(".tar.gz"))
FOLDER = Case("weights in a folder", lambda s: not s.env.artifact_uri.endswith(".tar.gz"))
PROMOTED = Case("for an environment that a pipeline promotes", lambda s: s.promotion is not None)
GITHUB_ACTIONS = Case(
    "with `github_actions` in the pipeline file",
    lambda s: s.promotion is not None and s.promotion.settings.github_actions is not None,
)
OWN_ACCOUNT = Case("with an `account` in its file", lambda s: s.env.account is not None)
NO_ACCOUNT = Case("without an `account` in its file", lambda s: s.env.account is None)
TRUSTED_IN_ITS_ACCOUNT = Case(
    "without an `account` in its file, or with `github_actions`",
    lambda s: s.env.account is None or GITHUB_ACTIONS.holds(s),
)
OTHER_REGIONS = Case(
    "with environments in other regions",
    lambda s: any(one.region != s.pipeline.settings.region for one in s.pipeline.environments),
)

_BY_RESOURCE = {
    "endpoint/Key": OWN_KEY,
    "endpoint/DataCaptureKey": OWN_KEY,
    "endpoint/DataCapture": DATA_CAPTURE,
    "endpoint/Artifacts": OWN_VPC,
    "endpoint/Network/Runtime": OWN_RUNTIME,
    "endpoint/Network/FlowLog": OWN_VPC,
    "endpoint/Network/Key": OWN_KEY_AND_VPC,
    "endpoint/Caller-": CALLERS,
    "endpoint/GateRole": PROMOTED,
    "github/": GITHUB_ACTIONS,
    "pipeline-<region>/": OTHER_REGIONS,
}
_BY_STATEMENT = {
    "WriteCaptured": DATA_CAPTURE,
    "EncryptCaptured": DATA_CAPTURE,
    "CopyArtifacts": OTHER_REGIONS,
    "FindCopies": OTHER_REGIONS,
    "UseKeysOfCopies": OTHER_REGIONS,
}
# By the statement's key and the end of the value.
_BY_VALUE = {
    ("ReadWeights", "<weights>"): ONE_ARCHIVE,
    ("ReadWeights", "<weights>/*"): FOLDER,
    ("InvokeEndpoint", "= <vpc>"): ONLY_FROM_VPC,
    ("sts:AssumeRole", "AWS arn:<partition>:iam::<pipeline's account>:root"): OWN_ACCOUNT,
    ("sts:AssumeRole", "AWS arn:<partition>:iam::<account>:root"): TRUSTED_IN_ITS_ACCOUNT,
    ("sts:AssumeRole", "iam::<pipeline's account>:role/mistral-7b-pipeline-<environment>-gates"): OWN_ACCOUNT,
    ("sts:AssumeRole", "iam::<account>:role/mistral-7b-pipeline-<environment>-gates"): NO_ACCOUNT,
    ("sts:AssumeRole", "iam::<account>:role/mistral-7b-<environment>-github"): GITHUB_ACTIONS,
}


def cases_of_statement(path: str, key: str) -> tuple[Case, ...]:
    """What has to hold, all of it, for the statement `key` of the resource at `path`, stack first."""
    by_resource = [case for start, case in _BY_RESOURCE.items() if path.startswith(start)]
    by_statement = [case for name, case in _BY_STATEMENT.items() if name == key]
    return (*by_resource, *by_statement)


def cases_of_value(key: str, value: str) -> tuple[Case, ...]:
    """What has to hold for a resource or condition of the statement `key`, besides what does for the statement."""
    return tuple(case for (name, end), case in _BY_VALUE.items() if name == key and value.endswith(end))
