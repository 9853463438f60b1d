"""`mistral7b verify`: records how an AWS account answers, and compares the embedded AWS with a recording."""

import json
import re
import secrets
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Literal

import boto3
import botocore
import typer
from botocore.config import Config

from mistral7b.catalog import partition
from mistral7b.catalog.data import load
from mistral7b.conformance import scenario
from mistral7b.conformance.recording import Entry, Recorder
from mistral7b.conformance.redaction import Redactor
from mistral7b.conformance.replay import replay
from mistral7b.endpoint import caller
from mistral7b.environment import Environment, load_environment
from mistral7b.environment.load import COMMON
from mistral7b.errors import FAILED, INTERRUPTED, UserError
from mistral7b.operate.calls import Client
from mistral7b.operate.costs import estimate
from mistral7b.yamlfile import read
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.demo.command import interruptible
from mistral7b_cli.demo.scenario import exported
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder
from mistral7b_cli.output import confirmed, progress, say, write_json
from mistral7b_cli.synthesis import synthesized
from sagehost.lifecycle import running_server

_FIELDS = {"step", "operation", "request", "status", "error", "message", "answer"}
_PREFIX = re.compile("verify-[0-9a-f]{6}")
Templates = dict[str, str]
tell = partial(say, on=progress)


def verify(
    *,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="Record your account's answers here.")] = None,
    recorded: Annotated[
        Path | None, typer.Option("--replay", metavar="FILE", help="Compare with this recording.")
    ] = None,
    clean: Annotated[str, typer.Option(metavar="PREFIX", help="Remove what an interrupted run has left.")] = "",
    tier: Annotated[Literal["free", "full"], typer.Option(help="`full` also deploys an endpoint.")] = "free",
    name: Annotated[str, typer.Option("--environment", metavar="ENVIRONMENT", help="What the full tier uses.")] = "dev",
    region: Annotated[str, typer.Option(metavar="REGION", help="Default: your session's; full: the file's.")] = "",
    local: Annotated[bool, typer.Option("--local", help="Record an embedded AWS, started for that.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, and overwrite the file.")] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Record how AWS really answers in your account, and compare the embedded AWS with that.

    `--record` runs a scenario and writes each request with its answer. Accounts, keys, tokens, user names, e-mail and
    public IP addresses are replaced before anything is written: you can read the file, and send it to us.

    The free tier makes a VPC, a role, a model, stacks and others, and tries what AWS refuses. The full one deploys an
    environment under another name, updates, scales, stops and removes it. Both remove all they make, also after Ctrl-C.

    It takes PowerUserAccess and `iam:*` on roles named `*verify-*`. A step that is not allowed is left out, and the
    recording names the action that it needs. `--replay` starts an embedded AWS, unless AWS_ENDPOINT_URL leads to one.
    """
    if sum(map(bool, (record, recorded, clean))) != 1:
        raise UserError("nothing or too much to do\nfix: give one of --record, --replay and --clean")
    if clean and not _PREFIX.fullmatch(clean):
        raise UserError(f"--clean {clean}: no run has this prefix\nfix: give the one that the run printed: verify-…")
    if record and record.exists() and not yes:
        raise UserError(f"--record {record}: the file exists\nfix: name another, or add --yes to write over it")
    head, entries = _read(recorded) if recorded else ({}, [])
    file = load_environment(folder, name) if tier == "full" else None
    where = head.get("region") or (file.region if file else region or boto3.Session().region_name or "us-east-1")
    if not file and where not in load("jumpstart.json")["image_account_by_region"]:
        raise UserError(f"--region {where}: it is not known here\nfix: give one such as us-east-1")
    env = file or Environment(name="dev", region=where)
    prefix = head.get("prefix") or clean or f"verify-{'000000' if local else secrets.token_hex(3)}"
    with ExitStack() as stack:
        if own := local or (recorded and not caller.is_embedded(caller.endpoint_url())):
            stack.enter_context(exported(stack.enter_context(running_server()).settings(region=where)))
        stack.enter_context(interruptible("recording", progress))
        stack.enter_context(explained(where, what="the account could not be called"))
        session = announce(f"prefix {prefix}", where, env.account, folder / f"{name}.yaml", must_know=True)
        template = _templates(file, folder, prefix, yes=yes) if record and file else {}
        try:
            if record:
                _record(record, session, env, prefix, template)
            elif recorded:
                _replay(recorded, head, entries, session, as_json=as_json)
        finally:
            if not own:  # an AWS of the command's own ends, with all that is in it
                _remove(prefix, where)


def _read(file: Path) -> tuple[Entry, list[Entry]]:
    try:
        head, *entries = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        complete = all("not_recorded" in one or one.keys() >= _FIELDS for one in entries)
        if _PREFIX.fullmatch(head["prefix"]) and head["region"] and complete:
            return head, entries
        reason = "its first line has to name prefix and region, every other a call and its answer"
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise UserError(f"--replay {file}: it is no recording: {reason}\nfix: name a file that --record wrote")


def _minute_s() -> int:
    """Seconds: the embedded AWS makes in one what takes AWS a minute."""
    return 1 if caller.is_embedded(caller.endpoint_url()) else 60


def _client(session: boto3.Session, region: str) -> Client:
    # AWS is to refuse what is wrong, not botocore before it.
    config = Config(parameter_validation=False, read_timeout=70, retries={"mode": "standard", "total_max_attempts": 4})
    return cache(partial(session.client, region_name=region, config=config))


def _record(file: Path, session: boto3.Session, env: Environment, prefix: str, template: Templates) -> None:
    """Runs the steps of the tier, and writes an entry of each to the file as soon as it is known."""
    client, region, tier = _client(session, env.region), env.region, "full" if template else "free"
    identity = session.client("sts", region).get_caller_identity()
    keys = session.get_credentials().get_frozen_credentials()
    private = [*identity["Arn"].split("/")[1:], *identity["UserId"].split(":"), *filter(None, keys[:3])]
    us = ["us-east-1", "us-west-2"]
    values = {
        **{"prefix": prefix, "region": region, "partition": partition(region), "account": identity["Account"]},
        **{"image": env.image_uri, "image_elsewhere": env.image_uri.replace(region, us[region == us[0]])},
        **{"artifact": env.artifact_uri, "location": None if region == us[0] else {"LocationConstraint": region}},
        **template,
        "minute_s": _minute_s(),
    }
    head = {"prefix": prefix, "tier": tier, "region": region, "partition": partition(region)}
    with file.open("w", encoding="utf-8", buffering=1) as lines:

        def write(entry: Entry) -> None:
            lines.write(json.dumps(entry) + "\n")

        write({**head, "botocore": botocore.__version__, "date": str(datetime.now(UTC).date())})
        steps = scenario.load(tier)
        asked = str((steps, values)).lower()  # a user called sagemaker must not make the requests unreadable
        redactor = Redactor(identity["Account"], [one for one in private if one.lower() not in asked])
        recorder = Recorder(write, redactor)
        recorder.attach(session.events)
        if not scenario.run(client, steps, recorder, values, tell):
            raise typer.Exit(INTERRUPTED)
    tell(f"recorded in {file}: conformance/README.md says how to send it")


def _templates(env: Environment, folder: Path, prefix: str, *, yes: bool) -> Templates:
    """The template of the environment under another name, the same with another limit, and the endpoint's name.

    Says what the full tier costs, and asks first.
    """
    hourly = estimate(env).items[0].usd_per_hour
    usd = f"{2 * scenario.HOURS * hourly[0]:.0f} USD" if hourly else "an amount that is not built in"
    tell(f"{scenario.HOURS} hours with up to two {env.instance_type} cost {usd} at most, and its network some cents.")
    tell("Its last steps take the role from SageMaker: network interfaces may stay, which only AWS Support removes.")
    if not yes:
        confirmed("Deploy it?")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if (folder / COMMON).exists():
            shutil.copy(folder / COMMON, scratch)
        fields = {**read(folder / f"{env.name}.yaml", env.name).values, "endpoint_name": None}
        (scratch / f"{prefix}.yaml").write_text(json.dumps(fields), encoding="utf-8")
        with synthesized(scratch, export=prefix) as assembly:
            [file] = assembly.rglob("*.template.json")
            template = json.loads(file.read_text(encoding="utf-8"))
        endpoint = load_environment(scratch, prefix).resolved_endpoint_name
    texts = {"endpoint": endpoint, "template": json.dumps(template)}
    for one in template["Resources"].values():
        if one["Type"] == "AWS::SageMaker::Model":
            one["Properties"]["PrimaryContainer"]["Environment"]["MAX_CONCURRENT_REQUESTS"] = "5"
    return {**texts, "template_changed": json.dumps(template)}


def _replay(file: Path, head: Entry, entries: list[Entry], session: boto3.Session, *, as_json: bool) -> None:
    account = caller.caller_account(session, head["region"])
    found = [*replay(entries, session.events, _client(session, head["region"]), account)]
    different = sum(one.kind != "message" for one in found)
    if as_json:
        write_json({"file": str(file), **head, "differences": [asdict(one) for one in found]})
    else:
        for one in found:
            say(str(one))
    if different:
        raise UserError(f"the embedded AWS differs from {file}: {different} differences", FAILED, documented=as_json)
    tell(f"{len(entries)} entries, no difference")


def _remove(prefix: str, region: str) -> None:
    client = _client(boto3.Session(), region)
    if left := scenario.remove(client, {"prefix": prefix, "region": region}, tell, 30 * _minute_s()):
        again = f"mistral7b verify --clean {prefix} --region {region}"
        raise UserError("\n".join((*left, f"fix: run the commands above, or {again}")), FAILED)
