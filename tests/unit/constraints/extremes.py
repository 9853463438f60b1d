"""Valid environment files whose every field is at the ends of its range.

The ranges are the schema's. Written out here are fields that have to fit others, or whose extremes no schema tells.
"""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from mistral7b import catalog
from mistral7b.environment import Environment
from tests.unit.environment.mutations import sites

Document = dict[str, Any]

MOST_ROLES, MOST_TAGS, MOST_SUBNETS = 50, 40, 16
LONG_ID, SHORT_ID = "0123456789abcdef0", "01234567"
LETTERS = "aZ09 _.:/=+-@é検١"
_PRINTABLE = st.characters(min_codepoint=ord("!"), max_codepoint=ord("~"))
# Each launcher variable, at values that fit each other.
SMALLEST = {
    "MAX_INPUT_LENGTH": 1,
    "MAX_TOTAL_TOKENS": 2,
    "MAX_BATCH_PREFILL_TOKENS": 1,
    "MAX_BATCH_TOTAL_TOKENS": 2,
    "MAX_CONCURRENT_REQUESTS": 1,
    "MAX_BEST_OF": 0,
    "MAX_STOP_SEQUENCES": 0,
    "MAX_TOP_N_TOKENS": 0,
    "MAX_WAITING_TOKENS": 0,
    "WAITING_SERVED_RATIO": 0.0,
    "VALIDATION_WORKERS": 1,
    "CUDA_MEMORY_FRACTION": 0.7,  # the weights need as much of an A10G
    "HF_MODEL_REVISION": "x" * 255,
    "HF_MODEL_ID": "/opt/ml/model",
    "HF_MODEL_TRUST_REMOTE_CODE": False,
    "DTYPE": "bfloat16",
    "ROPE_SCALING": "linear",
    "ROPE_FACTOR": 1e-300,
    "WATERMARK_GAMMA": 0.001,
    "WATERMARK_DELTA": -1e300,
}
LARGEST = {
    "MAX_INPUT_LENGTH": 2**32 - 2,
    "MAX_TOTAL_TOKENS": 2**32 - 1,
    "MAX_BATCH_PREFILL_TOKENS": 2**32 - 1,
    "MAX_BATCH_TOTAL_TOKENS": 2**32 - 1,
    "MAX_CONCURRENT_REQUESTS": 2**64 - 1,
    "MAX_WAITING_TOKENS": 2**64 - 1,
    "HF_MODEL_QUANTIZE": "bitsandbytes-nf4",
    "QUANTIZE": "bitsandbytes",
}


def _ends(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def _fields(*section: str) -> dict[str, st.SearchStrategy[Any]]:
    """Every field of a section, or of the top level, by its name: at the ends that the schema names."""
    found = [site for site in sites() if site.path[:-1] == section]
    return {site.path[-1]: _ends_of(site.path, site.forms[0]) for site in found}


def _ends_of(path: tuple[str, ...], form: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    match form:
        case {"properties": _}:
            return st.fixed_dictionaries(_fields(*path))
        case {"enum": [first, *_, last]}:
            return _ends(first, last)
        case {"type": "boolean"}:
            return st.booleans()
        case {"minimum": low}:
            return _ends(low, form.get("maximum", low))
        case {"pattern": pattern}:
            return st.from_regex(pattern, fullmatch=True, alphabet=_PRINTABLE)
        case {"type": "array", "items": items}:
            sizes = _ends(form.get("minItems", 0), form.get("maxItems", 1))
            return sizes.flatmap(lambda n: st.lists(_ends_of(path, items), min_size=n, max_size=n, unique=True))
    return st.nothing()  # a field that is written out below


def _tags() -> st.SearchStrategy[dict[str, str]]:
    def tags(count: int, length: int, value: str) -> dict[str, str]:
        return {f"t{n}".ljust(length, "k"): value for n in range(count)}

    value = _ends("", LETTERS, (LETTERS * 20)[:256])
    return st.builds(tags, _ends(0, 1, MOST_TAGS), _ends(3, 127), value)


def _network(region: str) -> st.SearchStrategy[Document]:
    zones, ids = [region + letter for letter in "abcdef"], list(catalog.availability_zones(region))
    own = st.fixed_dictionaries(
        {
            "cidr": _ends("10.0.0.0/16", "192.168.0.0/20", "172.16.255.0/24"),
            "availability_zones": _ends(2, ids, zones) if ids else _ends(zones[:2], zones),
        }
    )
    existing = st.builds(_existing_vpc, st.just(zones), _ends(2, MOST_SUBNETS), _ends(SHORT_ID, LONG_ID), st.booleans())
    common = {
        "runtime_endpoint": st.booleans(),
        "s3_prefix_list_id": _ends(f"pl-{'f' * 8}", f"pl-{'0' * 17}"),
    }
    return st.one_of(
        st.fixed_dictionaries({**common, "vpc": own}), st.fixed_dictionaries({**common, "existing_vpc": existing})
    )


def _existing_vpc(zones: list[str], subnets: int, identifier: str, routes: bool) -> Document:
    def ids(kind: str) -> list[str]:
        return [f"{kind}-{n:02x}{identifier[2:]}" for n in range(subnets)]

    return {
        "vpc_id": f"vpc-{identifier}",
        "cidr": "10.0.0.0/28" if routes else "198.18.0.0/16",
        "subnet_ids": ids("subnet"),
        "availability_zones": [zones[n % len(zones)] for n in range(subnets)],
        "route_table_ids": ids("rtb") if routes else [],
    }


def _artifact(account: str, key: str) -> st.SearchStrategy[Document]:
    longest = f"s3://{'b' * 63}/".ljust(1024 - len(".tar.gz"), "a")
    uris = _ends("s3://abc/a/", "s3://abc/a.tar.gz", f"{longest}.tar.gz", f"{longest}/")
    return st.fixed_dictionaries({"uri": uris}, optional={"account": st.just(account), "kms_key_arn": st.just(key)})


def _image(account: str, region: str) -> st.SearchStrategy[Document]:
    suffix = ".cn" if region.startswith("cn-") else ""
    registry, digest = f"{account}.dkr.ecr.{region}.amazonaws.com{suffix}", f"@sha256:{'0' * 64}"
    uris = _ends(f"{registry}/a:1", f"{registry}/".ljust(255 - len(digest), "r") + digest)
    return st.fixed_dictionaries({"uri": uris})


def _auto_scaling() -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries(
        {
            **_fields("auto_scaling"),
            "min_instances": st.just(1),
            "max_instances": _ends(1, 12),
            "target_concurrent_requests": _ends(0.1, 1),
            "time_zone": _ends("UTC", "America/Argentina/ComodRivadavia"),
            "schedule": _ends([], [_entry(n) for n in range(50)]),
        }
    )


def _entry(number: int) -> Document:
    """One of 50 of a schedule, from midnight to 23:59 on."""
    minutes = number * 29 + (number == 49) * 18
    at, days = f"{minutes // 60:02}:{minutes % 60:02}", ("daily", "weekdays", "weekends")[number % 3]
    return {"days": days, "at": at, "min_instances": 1, "max_instances": 1}


def _office_hours() -> st.SearchStrategy[Document]:
    zones, weekdays = _ends("UTC", "America/Argentina/ComodRivadavia"), _ends("00:00-02:00", "01:59-23:59")
    return st.fixed_dictionaries({"time_zone": zones, "weekdays": weekdays})


def _alarms(topics: str) -> st.SearchStrategy[Document]:
    emails = _ends(0, 1, 100).map(lambda count: [f"{n:02}{'a' * 62}@{'b' * 180}.example" for n in range(count)])
    fields = {**_fields("alarms"), "emails": emails}
    existing = {**fields, "existing_topic_arn": _ends(f"{topics}a", f"{topics}{'Z_' * 128}"), "emails": st.just([])}
    del fields["existing_topic_arn"]
    return st.one_of(st.fixed_dictionaries(fields), st.fixed_dictionaries(existing))


def _updates() -> st.SearchStrategy[Document]:
    """Of one instance, which is no more than one batch."""
    fields = {**_fields("updates"), "strategy": st.just("all_at_once"), "maximum_seconds": st.just(28_800)}
    shortest = dict.fromkeys(("wait_seconds", "bake_seconds"), st.just(0)) | {"maximum_seconds": st.just(600)}
    return st.one_of(st.fixed_dictionaries(fields), st.fixed_dictionaries({**fields, **shortest}))


def _workload() -> st.SearchStrategy[Document]:
    """What `auto` is worked out from; without an `auto` it changes no template."""
    spread = {"mean": 1, "p95": 3.86, "longest": 4}
    return st.fixed_dictionaries(
        {
            "input_tokens": _ends(1, 8000, spread, [1] * 2_000),
            "output_tokens": _ends(1, {**spread}, [1, 2]),
            "max_new_tokens": st.just(4),
            "requests_per_second": _ends({"average": 0.0001, "peak": 10_000}),
            "objective": st.just(
                {
                    "p50_ms_per_token": 60_000,
                    "p95_ms_per_token": 0.001,
                    "p50_seconds": 60,
                    "p95_seconds": 0.001,
                    "lost_percent": 50,
                }
            ),
            "climb_minutes": _ends(0, 1440),
            "survives_zone": st.booleans(),
        }
    )


def _callers(draw: st.DrawFn) -> Document:
    count = draw(_ends(1, MOST_ROLES))
    length = draw(_ends(2, 64))
    names = [(f"{n:02}" + "=+,.@-_zZ" * 7)[:length] for n in range(count)]
    return {"role_names": names}


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """One environment file."""
    version = draw(st.sampled_from([v for model in catalog.models() for v in model.versions]))
    region = draw(st.sampled_from(version.regions))
    account = draw(_ends("000000000000", "999999999999"))
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    network = draw(_network(region))
    callers = _callers(draw)
    callers["only_from_vpc"] = draw(st.booleans()) and (network["runtime_endpoint"] or "existing_vpc" in network)
    document: Document = {
        "region": region,
        "model": version.model,
        "model_version": version.version,
        "endpoint_name": draw(_ends("a", "Z" * 63, f"a{'-' * 61}Z")),
        "instance": {"type": draw(st.sampled_from(version.supported_instance_types)), "count": 1},
        "network": network,
        "callers": callers,
        "compliance_packs": [],
        "tags": draw(_tags()),
    }
    key = f"arn:{partition}:kms:{region}:{account}:key/mrk-{'0123456789abcdef' * 2}"
    optional = {
        "account": st.just(account),
        "artifact": _artifact(account, key),
        "image": _image(account, region),
        "tgi": _ends({**SMALLEST, "SM_NUM_GPUS": _gpus(document)}, LARGEST),
        "auto_scaling": _auto_scaling(),
        "office_hours": _office_hours(),
        "alarms": _alarms(f"arn:{partition}:sns:{region}:{account}:"),
        "updates": _updates(),
        "workload": _workload(),
        "encryption": st.just({"kms_key_arn": key}),
    }
    for name, ends in _fields().items():
        if name in document | optional:
            continue
        if Environment.model_fields[name].default is None:
            optional[name] = ends
        else:
            document[name] = draw(ends)
    chosen = {name: draw(values) for name, values in optional.items() if draw(st.booleans())}
    if updates := chosen.get("updates"):  # they are rolled back by alarms that there are
        chosen.setdefault("alarms", {})["without"] = []
        updates["rollback_alarms"] = ["server_errors", "model_errors", "refused_requests", "latency", "gpu_memory"]
    if "auto_scaling" in chosen and "office_hours" in chosen:  # one excludes the other
        del chosen[draw(_ends("auto_scaling", "office_hours"))]
    return document | chosen


def _gpus(document: Document) -> int:
    return catalog.instance_type(document["instance"]["type"]).gpus
