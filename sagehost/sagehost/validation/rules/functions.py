"""What conditions of rules can ask beside the request: resources of the emulated services, policies, and texts."""

import json
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import jmespath.functions
from botocore.validate import ParamValidator
from moto.backends import get_backend
from moto.core.utils import get_service_model
from moto.ecr.models import ecr_backends
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from sagehost import policies, quotas, roles
from sagehost.accounts import JUMPSTART_BUCKET, url_suffix
from sagehost.clock import CLOCK
from sagehost.hosting.capture import kms_key
from sagehost.hosting.endpoints import HOSTED
from sagehost.hosting.fleet import EndpointKey
from sagehost.pipelines.store import APPROVALS, PIPELINE, RESOURCES
from sagehost.validation.asked import Asked

_STANDARD = jmespath.functions.Functions()
LOCAL_NVME = {
    *("c5d", "c6gd", "dl1", "g4dn", "g5", "g6", "g6e", "g7", "g7e", "m5d", "m6gd", "p4d", "p4de", "p5", "p5e", "p5en"),
    *("p6-b200", "p6-b300", "p6e-gb200", "r5d", "r6gd", "r7gd", "trn1", "trn1n", "trn2"),
}
"""Families whose instances have local NVMe storage (EC2 guide, "Instance store volumes")."""

Found = Mapping[str, Mapping[str, Any]]
"""Resources by name."""


class Functions:
    """JMESPath's functions, and those of the table, for one request."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """What messages and the function `asked` know: the request, at the root of every expression, and its place."""
        asked = self._asked
        place = {"account": asked.account, "region": asked.region, "partition": get_partition(asked.region)}
        return {**place, **asked.given}

    def call_function(self, name: str, arguments: list[Any]) -> Any:
        """The interface that jmespath expects."""
        if name == "asked":
            return self.values.get(arguments[0])
        own = _FUNCTIONS.get(name)
        return own(self._asked, *arguments) if own else _STANDARD.call_function(name, arguments)


def _backend(asked: Asked, service: Any) -> Any:
    if service == "cloudformation":  # ours, which imports this package
        return pkgutil.resolve_name("sagehost.cloudformation.store:STORES")[asked.account, asked.region]
    everywhere = service in ("iam", "s3")
    return get_backend(service)[asked.account][get_partition(asked.region) if everywhere else asked.region]


def _arn(asked: Asked, resource: str, service: str = "sagemaker") -> str:
    return f"arn:{get_partition(asked.region)}:{service}:{asked.region}:{asked.account}:{resource}"


class _View:
    """An object of moto, as JMESPath reads it: its attributes are members."""

    def __init__(self, of: object) -> None:
        self._of = of

    def get(self, name: str) -> Any:
        """The interface that jmespath expects."""
        return _viewed(getattr(self._of, name, None))


def _viewed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _viewed(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_viewed(one) for one in value]
    return value if value is None or isinstance(value, str | bytes | int | float) else _View(value)


def _resources(asked: Asked, kind: str) -> Found:
    """The resources of a kind, by the members `id` that the kind's expression gives them."""
    if kind in _HOSTED:
        return _HOSTED[kind](asked)
    service, expression = _KINDS[kind]
    options = jmespath.Options(custom_functions=Functions(asked))
    found = jmespath.search(expression, _View(_backend(asked, service)), options)
    return {one["id"]: one for one in found}


def _endpoints(asked: Asked) -> Found:
    scaled = {target["resource"]: target for target in _resources(asked, "scalable target").values()}
    present = _backend(asked, "sagemaker").endpoints
    return {
        key.name: {
            "arn": record.endpoint.arn,
            "status": record.status,
            "config": record.endpoint.endpoint_config_name,
            "variants": [plan.name for plan in record.plans],
            "scaled": [
                {"name": plan.name, "type": plan.instance_type, "target": scaled[resource]["arn"]}
                for plan in record.plans
                if (resource := f"endpoint/{key.name}/variant/{plan.name}") in scaled
            ],
        }
        for key, record in HOSTED.records.items()
        if (key.account, key.region) == (asked.account, asked.region) and present.get(key.name) is record.endpoint
    }


def _scalable_variants(asked: Asked) -> Found:
    configs = _backend(asked, "sagemaker").endpoint_configs
    return {
        f"endpoint/{name}/variant/{variant}": {"asynchronous": bool(config and config.async_inference_config)}
        for name, endpoint in _endpoints(asked).items()
        for variant in endpoint["variants"]
        for config in [configs.get(endpoint["config"])]
    }


_HOSTED: Mapping[str, Callable[[Asked], Found]] = {
    "approval": lambda asked: {
        "/".join(key[2:]): vars(one) for key, one in APPROVALS.items() if key[:2] == (asked.account, asked.region)
    },
    "endpoint": _endpoints,
    "pipeline": lambda asked: RESOURCES[asked.account, asked.region, PIPELINE],
    "variant": _scalable_variants,
}
_KINDS: Mapping[str, tuple[str, str]] = json.loads(Path(__file__).with_name("resources.json").read_text())
"""Kinds of resources: the service, and an expression over its back end, with the functions of rules."""


def _attempt(work: Callable[[], Any], *refusals: type[Exception]) -> Any:
    """What a piece of work gives; null where it refuses."""
    try:
        return work()
    except refusals:
        return None


def _assumable(asked: Asked, role: str, service: str, resource: str) -> bool:
    def check() -> bool:
        roles.check(role, by=f"{service}.amazonaws.com", source_arn=_arn(asked, resource, service))
        return True

    return bool(_attempt(check, roles.AccessDenied))


def _permitted(asked: Asked, action: str, resource: str) -> bool:
    """Whether the caller's policies allow an action; those of a role's session are asked."""
    role = roles.identity(asked.access_key).role
    return role is None or roles.allows_action(role.arn, action, resource, "{}", {})


def _quota(asked: Asked, service: str, code: str) -> float | None:
    """A quota of the caller in its region; null for one that is not known."""
    return quotas.quota(asked.account, asked.region, service, code) if (service, code) in quotas.NAMES else None


_IMAGE = re.compile(r"([0-9]{12})[.]dkr[.-]ecr(?:-fips)?[.]([a-z0-9-]+)[.][^/]*/?([^:@]*)[:@]?(.*)")


def _image_stored(_: Asked, image: str) -> bool:
    """Whether the image is in its repository. Of repositories that are not in the embedded AWS, all are."""
    if not (found := _IMAGE.fullmatch(image)):
        return True
    account, region, name, tag = found.groups()
    repository = ecr_backends[account][region].repositories.get(name)
    wanted = tag or "latest"
    return not repository or any(wanted in (*one.image_tags, one.get_image_digest()) for one in repository.images)


def _readable(asked: Asked, role: str, uri: str | None) -> bool:
    """Whether the role may read the object of this key, or all of this prefix, in the caller's region."""
    name, _, key = (uri or "").removeprefix("s3://").partition("/")
    if (jumpstart := JUMPSTART_BUCKET.fullmatch(name)) and jumpstart["region"] == asked.region:  # it is AWS's
        return True
    partition, owner = s3_backends.bucket_accounts.get(name, (get_partition(asked.region), asked.account))
    bucket = s3_backends[owner][partition].buckets.get(name)
    wanted = [one for one in bucket.keys if one == key or (key.endswith("/") and one.startswith(key))] if bucket else []
    if bucket is None or bucket.region_name != asked.region or not wanted:
        return False
    arn, policy = f"arn:{partition}:s3:::{name}", (bucket.policy or b"{}").decode()
    through = {
        "kms:viaservice": f"s3.{asked.region}.{url_suffix(asked.region)}",
        "kms:calleraccount": asked.account,
    }
    try:
        if key.endswith("/"):
            roles.check_action(role, "s3:ListBucket", arn, {"s3:prefix": key}, policy, owner=owner)
        for one in wanted:
            roles.check_action(role, "s3:GetObject", f"{arn}/{one}", {}, policy, owner=owner)
            if encrypted_with := bucket.keys[one].kms_key_id:
                kms = kms_key(encrypted_with, owner, asked.region)
                roles.check_action(role, "kms:Decrypt", kms.arn, through, kms.policy, owner=kms.arn.split(":")[4])
    except roles.AccessDenied:
        return False
    return True


def _key(asked: Asked, arn: str) -> Mapping[str, Any] | None:
    """A KMS key of the request's region, by its ARN; it may be another account's."""
    _, _, service, region, account, *_ = f"{arn}:::::".split(":", 5)
    if (service, region) != ("kms", asked.region):
        return None
    key = _attempt(lambda: kms_key(arn, account, region), roles.AccessDenied)
    return key and {"state": key.key_state, "spec": key.key_spec, "policy": key.policy}


def _closed_to_logs(asked: Asked, policy: str, group: str) -> list[str]:
    """Whether a key policy does not let CloudWatch Logs encrypt a group: what of it cannot be evaluated here, or ""."""
    service = f"logs.{asked.region}.{url_suffix(asked.region)}"
    context = {"kms:encryptioncontext:aws:logs:arn": _arn(asked, f"log-group:{group}", "logs")}
    actions = ("Encrypt", "Decrypt", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
    try:
        allowed = all(policies.allows_service(policy, f"kms:{one}", service, context) for one in actions)
    except policies.NotEvaluated as error:
        return [f" ({error})"]
    return [] if allowed else [""]


def _wrong_input(_: Asked, target: str, request: Any) -> str:
    """What is wrong with the request with which a schedule calls SageMaker."""
    operation = target.rpartition(":")[2]
    shape = get_service_model("sagemaker").operation_model(f"{operation[0].upper()}{operation[1:]}").input_shape
    return str(ParamValidator().validate(request, shape).generate_report())


def _statements(_: Asked, document: Any) -> list[Mapping[str, Any]] | None:
    """The statements of a policy document; null for a text that is none."""
    text = document.decode(errors="replace") if isinstance(document, bytes) else document
    found: list[Mapping[str, Any]] | None = _attempt(lambda: policies.statements(text), policies.NotEvaluated)
    return found


def _admits(asked: Asked, document: str) -> bool:
    """Whether a key policy lets its caller change it. One that cannot be evaluated here is taken to."""
    caller = roles.identity(asked.access_key)
    root = f"arn:{get_partition(asked.region)}:iam::{asked.account}:root"
    own = {"*", asked.account, root, caller.arn, caller.principal_arn}
    try:
        found = policies.statements(document)
        return bool(
            policies.allows(
                found, "kms:PutKeyPolicy", lambda one: not own.isdisjoint(policies.principals(one, "AWS")), {}
            )
        )
    except policies.NotEvaluated:
        return True


def _unknown_principals(asked: Asked, document: Any) -> list[str]:
    """Roles and users of the caller's account that a policy document names as principals and that do not exist."""
    prefix = f"arn:{get_partition(asked.region)}:iam::{asked.account}:"
    iam = _backend(asked, "iam")
    known = {one.arn for one in (*iam.roles.values(), *iam.users.values())}
    stated = [one for one in _statements(asked, document) or [] if "Principal" in one]
    named = [name for one in stated for name in policies.principals(one, "AWS")]
    own = [name for name in named if name.startswith((f"{prefix}role/", f"{prefix}user/"))]
    # IAM makes a service's role when the service first needs it.
    return [one for one in own if one not in known and "/aws-service-role/" not in one]


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "admits": _admits,
    "age": lambda _, at: CLOCK.seconds() - datetime.fromisoformat(str(at)).replace(tzinfo=UTC).timestamp(),
    "assumable": _assumable,
    "caller": lambda asked: roles.identity(asked.access_key).arn,
    "closed_to_logs": _closed_to_logs,
    "find": lambda _, text, pattern: re.findall(pattern, text),
    "image_stored": _image_stored,
    "json": lambda _, text: _attempt(lambda: json.loads(text), ValueError, TypeError),
    "key": _key,
    "local_nvme": lambda _, kind: (kind or "..").split(".")[1] in LOCAL_NVME,
    "lower": lambda _, text: text.lower(),
    "matches": lambda _, text, pattern: isinstance(text, str) and re.fullmatch(pattern, text, re.DOTALL) is not None,
    "multiple": lambda _, number, unit: number % unit == 0,
    "periods": lambda _, age, age_of_end, period: round((age - age_of_end) / period),
    "options": lambda asked: [{"name": name, "value": value} for name, value in asked.given.items()],
    "permitted": _permitted,
    "product": lambda _, numbers: prod(one or 0 for one in numbers),
    "quota": _quota,
    "readable": _readable,
    "repeated": lambda _, values: [one for one, count in Counter(values or []).items() if count > 1],
    "resource": lambda asked, kind, name: _resources(asked, kind).get(name),
    "resources": lambda asked, kind: [{**one, "id": name} for name, one in _resources(asked, kind).items()],
    "running": lambda asked, name: EndpointKey(asked.account, asked.region, name) in HOSTED.fleet,
    "size": lambda _, text: len(text.encode()),
    "statements": _statements,
    "time": lambda _, text: _attempt(lambda: datetime.fromisoformat(text), ValueError) is not None,
    "unknown_principals": _unknown_principals,
    "without": lambda _, values, others: [one for one in values or [] if one not in (others or [])],
    "wrong_input": _wrong_input,
    "zone": lambda _, name: name in available_timezones(),
}
