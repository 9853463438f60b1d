"""What AWS accepts as one value, beyond a type and a range. The schema's fields refer to it.

A function returns the value as it is, or raises pydantic's error with reason and fix.
"""

import ipaddress
import re
import unicodedata
import zoneinfo
from datetime import time
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from mistral7b.catalog.models import JUMPSTART_TAG
from mistral7b.yamlfile import pattern, refusal, with_guess

# Ranges that no VPC may have (Amazon VPC user guide, IPv4 CIDR block restrictions).
_RESERVED = [ipaddress.IPv4Network(r) for r in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")]
# Containers run on Docker, whose own network this is (Amazon VPC user guide, VPC CIDR blocks: "services like […]
# Amazon SageMaker AI can experience IP address conflicts").
_DOCKER = ipaddress.IPv4Network("172.17.0.0/16")

LONGEST_TAG_KEY = 127
"""Characters of a tag's key that EC2 takes, one less than all others (EC2 API, Tag)."""
_TAG_SIGNS = "_.:/=+-@ "
_TAG_FIX = "use letters, digits, spaces and _ . : / = + - @"
TAG_TEXT = pattern(r"[\w .:/=+\-@]*", _TAG_FIX)

KMS_KEY_ARN = pattern(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/"
    r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    "write the ARN of a key, not of an alias: arn:aws:kms:REGION:ACCOUNT:key/KEY-ID",
)
"""A key by its id; multi-Region keys begin with mrk- (AWS KMS developer guide, key identifiers)."""


ACCOUNT_ID = pattern(
    r"[0-9]{12}", 'write twelve digits in quotes: "123456789012"', "it is not an account id", examples=["444455556666"]
)
ENDPOINT_NAME = pattern(
    r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "use up to 63 letters, digits and hyphens, such as mistral-7b-dev"
)
MODEL_DATA = pattern(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9_!.'()/=+@,:-]+(/|\.tar\.gz)",
    "write s3://BUCKET/PREFIX/, or s3://BUCKET/KEY.tar.gz",
    max_length=1024,
)
"""A prefix or an archive (SageMaker API, S3ModelDataSource), without characters that are wildcards in a policy."""
ECR_IMAGE = pattern(
    r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9._/-]*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})",
    "write ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG",
    max_length=255,
)
ROLE_NAME = pattern(
    r"[A-Za-z0-9_+=,.@-]{1,64}",
    "write a role's name, without path or ARN: up to 64 letters, digits and _ + = , . @ -",
)


_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3: a path of 256 with its brackets
TOPIC_ARN = pattern(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
    "write it like arn:aws:sns:us-east-1:123456789012:on-call",
    "it is not the ARN of a standard topic",
)
OPENING_HOURS = pattern(
    "(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9]",
    'write two times of a day in quotes: "08:00-19:00"',
    examples=["08:00-19:00"],
)
TIME_OF_DAY = pattern("(?:[01][0-9]|2[0-3]):[0-5][0-9]", 'write a time of a day in quotes: "08:00"', examples=["08:00"])
SHORTEST_MINUTES = 120
"""Of a day's hours, and of the night: schedules try for an hour, and an endpoint takes some of the other to start."""


def id_of(kind: str) -> Any:
    """An EC2 id: 8 hexadecimal digits, or 17 (EC2 user guide, resource IDs)."""
    return pattern(rf"{kind}-[0-9a-f]{{8}}([0-9a-f]{{9}})?", f"write it like {kind}-0123456789abcdef0")


def environment_name(value: str) -> str:
    """The name of an environment. Names of endpoints end with it, and SageMaker accepts no hyphen there."""
    if not re.fullmatch(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?", value):
        fix = "rename the file: up to 20 lower-case letters, digits and hyphens, from a letter to a letter or digit"
        raise refusal("names of AWS resources cannot contain it", fix)
    return value


def vpc_cidr(value: str) -> str:
    """The IPv4 range of a VPC.

    Not within 0/8, 127/8, 169.254/16 or 224/4. Source: Amazon VPC user guide, CIDR restrictions.
    """
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise refusal(f"it is not an IPv4 network: {error}", "write it like 10.0.0.0/16") from None
    if not 16 <= network.prefixlen <= 28:
        raise refusal("a VPC's prefix length is between /16 and /28", "use a prefix length of 16 to 28")
    if str(network) != value:  # Python reads 10.0.0.0/255.255.0.0, too
        raise refusal("it is not in CIDR notation", f"write it as {network}")
    if any(network.overlaps(reserved) for reserved in _RESERVED):
        raise refusal("AWS makes no VPC of this range", "use a private range, such as 10.0.0.0/16")
    return value


def own_vpc_cidr(value: str) -> str:
    """The IPv4 range of a VPC that is made for the model."""
    if ipaddress.IPv4Network(vpc_cidr(value)).overlaps(_DOCKER):
        raise refusal(
            f"it is in conflict with {_DOCKER}, which SageMaker's instances use themselves", "use 10.0.0.0/16"
        )
    return value


def opening_hours(value: str) -> str:
    """From when to when an endpoint runs: 2 hours at least, and 22 at most. Source: this project."""
    opens, closes = (time.fromisoformat(one) for one in value.split("-"))
    minutes = (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
    if not SHORTEST_MINUTES <= minutes <= 24 * 60 - SHORTEST_MINUTES:
        lasts = "ends before it starts" if minutes <= 0 else f"lasts {minutes} minutes"
        raise refusal(f"it {lasts}; hours are of one day, and day and night last 2 hours at least", "use 08:00-19:00")
    return value


def time_zone(value: str) -> str:
    """A time zone of the IANA database, by its full name. Source: EventBridge Scheduler API, CreateSchedule."""
    known = [name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"]
    if value not in known:
        raise refusal(
            "the IANA database has no such time zone", with_guess(value, known, "write it like Europe/Berlin")
        )
    return value


def email(value: str) -> str:
    """An address to which SNS can send."""
    if len(value) > _LONGEST_EMAIL or not _EMAIL.fullmatch(value):
        raise refusal("it is not an e-mail address", "write it like team@example.com")
    return value


def tag_key(value: str) -> str:
    """The key of a tag of every resource."""
    if value.lower().startswith("aws:"):
        raise refusal("tags that begin with aws: are AWS's own", "use another name")
    if value.lower().startswith(JUMPSTART_TAG):
        raise refusal("model and model_version set it: JumpStart's tools know the model by it", "leave it out")
    return tag_text(value)


def tag_text(value: str) -> str:
    r"""A tag's key or value: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*` in the IAM and SageMaker API.

    The schema's `\w`, which every editor reads, has accents and joiners by themselves, too.

    Letters, digits, spaces and `_ . : / = + - @`. Source: IAM and SageMaker API, TagKey.
    """
    for character in value:
        if unicodedata.category(character)[0] not in "LN" and character not in _TAG_SIGNS:
            name = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
            raise refusal(f"{name} is not allowed in tags", _TAG_FIX)
    return value


def unique_ignoring_case(values: dict[str, str]) -> dict[str, str]:
    """Tags by their keys, which are not case-sensitive on roles (IAM user guide, tags).

    No key begins with `aws:` or is one of JumpStart's, no two differ in case alone. Source: IAM user guide, tags;
    SageMaker Python SDK.
    """
    if alike := _alike(list(values)):
        reason = f"{' and '.join(alike)} differ only in case: for IAM they are the same tag"
        raise refusal(reason, "keep one of them")
    return values


def unique_roles(values: list[str]) -> list[str]:
    """Names of roles, which "are not distinguished by case" (IAM user guide, name requirements).

    Names of callers' roles: 1 to 64 of `[A-Za-z0-9_+=,.@-]`, no path, each once whatever its case. Source: IAM API,
    RoleName.
    """
    if alike := _alike(unique_items(values)):
        raise refusal(f"{' and '.join(alike)} are one role, whatever the case", "keep the name as the role has it")
    return values


def unique_items(values: list[str]) -> list[str]:
    """A list without duplicates."""
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise refusal(f"{repeated[0]} is in it twice", "name each once")
    return values


Emails = Annotated[list[Annotated[str, AfterValidator(email)]], Field(max_length=100), AfterValidator(unique_items)]
"""Addresses, each once."""


def _alike(values: list[str]) -> list[str]:
    """The first values that are the same but for their case; none if all differ."""
    by_name: dict[str, list[str]] = {}
    for value in values:
        by_name.setdefault(value.casefold(), []).append(value)
    return next((same for same in by_name.values() if len(same) > 1), [])
