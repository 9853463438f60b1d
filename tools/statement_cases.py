"""In which case a policy statement, or a value in it, is there: by fields of the environment file.

Kept by hand, and compared with every environment whenever the document is written: a case that is wrong for one of them
is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mistral7b.environment import Environment


@dataclass(frozen=True)
class Case:
    """A condition on the environment file, in words and as a predicate."""

    wording: str
    holds: Callable[[Environment], bool]


OWN_VPC = Case("in a VPC of its own", lambda e: e.own_vpc is not None)
ROUTE_TABLES = Case(
    "in a VPC of its own, or with `network.existing_vpc.route_table_ids`",
    lambda e: e.network.existing_vpc is None or bool(e.network.existing_vpc.route_table_ids),
)
RUNTIME_ENDPOINT = Case("with `network.runtime_endpoint`", lambda e: e.network.runtime_endpoint)
OWN_KEY = Case("unless `encryption.kms_key_arn` is given", lambda e: e.encryption.kms_key_arn is None)
OWN_KEY_AND_VPC = Case(
    "in a VPC of its own, unless `encryption.kms_key_arn` is given",
    lambda e: e.own_vpc is not None and e.encryption.kms_key_arn is None,
)
DATA_CAPTURE = Case("with `data_capture`", lambda e: e.data_capture is not None)
CALLERS = Case("for each of `callers.role_names`", lambda e: bool(e.callers.role_names))
ONLY_FROM_VPC = Case("with `callers.only_from_vpc`", lambda e: e.callers.only_from_vpc)
ONE_ARCHIVE = Case("weights in one archive", lambda e: e.artifact_uri.endswith(".tar.gz"))
FOLDER = Case("weights in a folder", lambda e: not e.artifact_uri.endswith(".tar.gz"))

_BY_RESOURCE = {
    "endpoint/Key": OWN_KEY,
    "endpoint/DataCaptureKey": OWN_KEY,
    "endpoint/DataCapture": DATA_CAPTURE,
    "endpoint/Artifacts": ROUTE_TABLES,
    "network/Runtime": RUNTIME_ENDPOINT,
    "network/FlowLog": OWN_VPC,
    "network/Key": OWN_KEY_AND_VPC,
    "endpoint/Caller-": CALLERS,
}
_BY_STATEMENT = {"WriteCaptured": DATA_CAPTURE, "EncryptCaptured": DATA_CAPTURE}
# By the statement's key and the end of the value.
_BY_VALUE = {
    ("ReadWeights", "<weights>"): ONE_ARCHIVE,
    ("ReadWeights", "<weights>/*"): FOLDER,
    ("ListWeights", "<weights>"): ONE_ARCHIVE,
    ("ListWeights", "<weights>/*"): FOLDER,
    ("sagemaker:InvokeEndpoint", "= <vpc>"): ONLY_FROM_VPC,
}


def cases_of_statement(path: str, key: str) -> tuple[Case, ...]:
    """What has to hold, all of it, for the statement `key` of the resource at `path`, stack first."""
    by_resource = [case for start, case in _BY_RESOURCE.items() if path.startswith(start)]
    by_statement = [case for name, case in _BY_STATEMENT.items() if name == key]
    return (*by_resource, *by_statement)


def cases_of_value(key: str, value: str) -> tuple[Case, ...]:
    """What has to hold for a resource or condition of the statement `key`, besides what does for the statement."""
    return tuple(case for (name, end), case in _BY_VALUE.items() if name == key and value.endswith(end))
