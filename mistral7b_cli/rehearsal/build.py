"""CodeBuild actions: the commands of a project's buildspec, as processes of this machine in a fresh folder.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

import io
import json
import os
import re
import shlex
import shutil
import stat
import sys
import time
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from mistral7b.operate.permissions import listed
from mistral7b.process import CommandFailedError
from mistral7b.process import run as run_command
from mistral7b_cli.rehearsal.execution import OWN_LINE
from mistral7b_cli.rehearsal.run import ActionFailedError, Run, Session

_SERVICE = "codebuild.amazonaws.com"
_PHASES = ("install", "pre_build", "build")
_KNOWN = {
    "": ("version", "env", "phases", "artifacts", "cache"),
    "env": ("shell", "variables"),
    "phases": _PHASES,
    "artifacts": ("files", "base-directory"),
    "cache": ("paths",),
    **{f"phases/{phase}": ("commands", "runtime-versions") for phase in _PHASES},
}
"""What can be rehearsed of a buildspec. Caches do nothing: each build starts in an empty folder."""

_VARIABLES: dict[str, Any] = json.loads(Path(__file__).with_name("variables.json").read_text(encoding="utf-8"))
_PASSED, _NOT_PASSED = (re.compile("|".join(_VARIABLES[one]), re.IGNORECASE) for one in ("passed", "not_passed"))
_LOCAL = "localhost,127.0.0.1,::1"

MINUTE_S = 60.0

# Each command runs in this one shell, so that `cd` and `export` carry over. Its number goes first into a file.
_STEP = """\
echo {number} >{at}
printf '%s\\n' {line}
. {file} </dev/null
__status=$?; [ "$__status" = 0 ] || exit "$__status"
"""


def run_codebuild(run: Run) -> None:
    """Runs the build to its end, and puts its artifact into the store."""
    name, region, account = run.configuration("ProjectName"), run.declared.region, run.definition.account
    arn = f"arn:aws:codebuild:{region}:{account}:project/{name}"
    run.role().require("codebuild:StartBuild", arn)
    project = run.cloud.deployed("AWS::CodeBuild::Project", account, region, name)
    if project is None:
        raise ActionFailedError(f"Error calling startBuild: Project cannot be found: {arn}")
    who = run.role_of(_SERVICE, project["ServiceRole"], arn)
    _require_log(run, who, project)
    spec = _buildspec(project["Source"].get("BuildSpec", ""))
    source, scratch = run.folder / "source", [run.folder / name for name in ("source", "home", "inputs", "scratch")]
    with ExitStack() as stack:  # all but the log is removed in the end
        for folder in scratch:
            folder.mkdir(parents=True)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        primary = run.configuration("PrimarySource") or run.declared.inputs[0]
        inputs = {one: source if one == primary else run.folder / "inputs" / one for one in run.declared.inputs}
        for one, folder in inputs.items():
            unpack(run.get(one, who), folder)
        _run_commands(run, project, spec, _environment(run, project, spec, inputs, who))
        for output in run.declared.outputs:
            run.artifacts[output] = run.put(output, pack(source, spec.get("artifacts", {})), who)


def _require_log(run: Run, who: Session, project: Mapping[str, Any]) -> None:
    """CodeBuild writes the log in the project's role's name; here it is a file."""
    config = project.get("LogsConfig", {}).get("CloudWatchLogs", {})
    group = config.get("GroupName", f"/aws/codebuild/{project['Name']}")
    stream = "/".join(filter(None, (config.get("StreamName"), run.execution.id)))
    arn = f"arn:aws:logs:{run.declared.region}:{who.account}:log-group:{group}:log-stream:{stream}"
    if config.get("Status") != "DISABLED":
        who.require("logs:CreateLogStream", arn)
        who.require("logs:PutLogEvents", arn)


def _buildspec(text: str) -> dict[str, Any]:
    """A buildspec of version 0.2, all of which can be rehearsed."""
    spec = yaml.load(text, Loader=yaml.BaseLoader)
    if not isinstance(spec, dict) or spec.get("version") != "0.2" or "phases" not in spec:
        raise ActionFailedError("YAML_FILE_ERROR: the project holds no buildspec of version 0.2 with phases")
    for place, known in _KNOWN.items():
        part: Any = spec
        for key in filter(None, place.split("/")):
            part = part.get(key) or {}
        if unknown := sorted(set(part) - set(known)):
            raise ActionFailedError(f"YAML_FILE_ERROR: {place}/{unknown[0]} of the buildspec cannot be rehearsed")
    return spec


def _environment(
    run: Run, project: Mapping[str, Any], spec: Mapping[str, Any], inputs: Mapping[str, Path], who: Session
) -> dict[str, str]:
    region, scratch = run.declared.region, run.folder / "scratch"
    _write_python(scratch / "bin")
    path = [one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(one).is_absolute()]
    outside = [one for one in path if not Path(one).is_relative_to(sys.prefix)]  # not this virtual environment's
    return {
        **_inherited(),
        "HOME": str(run.folder / "home"),
        "TMPDIR": str(scratch),
        "PATH": os.pathsep.join([str(scratch / "bin"), *outside]),
        "GIT_CEILING_DIRECTORIES": str(run.folder),  # the source is in no repository of this machine's
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": run.cloud.url,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": run.cloud.url + who.credentials["Credentials"],
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": who.credentials["SessionToken"],
        **spec.get("env", {}).get("variables", {}),
        **{one["Name"]: one["Value"] for one in project["Environment"].get("EnvironmentVariables", [])},
        **{one["name"]: one["value"] for one in json.loads(run.configuration("EnvironmentVariables") or "[]")},
        "CODEBUILD_BUILD_ID": f"{project['Name']}:{run.execution.id}",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": f"codepipeline/{run.definition.name}",
        "CODEBUILD_SRC_DIR": str(run.folder / "source"),
        **{f"CODEBUILD_SRC_DIR_{name}": str(folder) for name, folder in inputs.items() if folder.name != "source"},
    }


def _inherited() -> dict[str, str]:
    """The variables that a build gets of this process's: only what reaches package indexes."""
    own = os.environ.items()
    passed = {name: value for name, value in own if _PASSED.fullmatch(name) and not _NOT_PASSED.fullmatch(name)}
    present = {name.upper() for name in passed}
    for variable, places in _VARIABLES["home"].items():
        found = next((Path.home() / place for place in places if (Path.home() / place).exists()), None)
        if found and variable not in present:
            passed[variable] = str(found)
    if present & {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}:  # the embedded AWS is not behind the proxy
        for name in ("NO_PROXY", "no_proxy"):
            passed[name] = ",".join(filter(None, (passed.get(name), _LOCAL)))
    return passed


def _write_python(folder: Path) -> None:
    """Puts `python3` and `python` into a folder: the Python of which this virtual environment was made.

    They are commands and not links, through which Python would look for its library beside them.
    """
    folder.mkdir()
    interpreter = shlex.quote(getattr(sys, "_base_executable", sys.executable))
    for name in ("python3", "python"):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec {interpreter} "$@"\n', encoding="utf-8")
        command.chmod(0o755)


def _run_commands(run: Run, project: Mapping[str, Any], spec: Mapping[str, Any], environment: dict[str, str]) -> None:
    scratch, phases = run.folder / "scratch", spec["phases"]
    commands = [(phase, text) for phase in _PHASES for text in listed(phases.get(phase, {}).get("commands", []))]
    steps = []
    for number, (phase, text) in enumerate(commands):
        file = scratch / f"command-{number}.sh"
        file.write_text(text + "\n", encoding="utf-8")
        names = {"at": scratch / "at", "file": file, "line": f"{OWN_LINE}{phase.upper()}: {text}"}
        steps.append(_STEP.format(number=number, **{key: shlex.quote(str(name)) for key, name in names.items()}))
    shell = f"/bin/{spec.get('env', {}).get('shell', 'sh').removeprefix('/bin/')}"
    deadline = time.monotonic() + MINUTE_S * int(project.get("TimeoutInMinutes", 60))

    def check() -> None:
        if run.cancelled.is_set():
            raise ActionFailedError("BUILD_STOPPED: Build has been stopped")
        if time.monotonic() > deadline:
            raise ActionFailedError("BUILD_TIMED_OUT: Build has timed out.")

    first = 0
    while first < len(steps):  # a command that ends its shell by `exit 0` is followed by the next one in another
        (scratch / "script.sh").write_text("".join(steps[first:]), encoding="utf-8")
        command = [shell, str(scratch / "script.sh")]
        try:
            run_command(command, run.folder / "source", environment=environment, log=run.shown.log, check=check)
        except CommandFailedError as error:
            phase, text = commands[int((scratch / "at").read_text())]
            raise ActionFailedError(f"{phase.upper()}: `{text}` ended with status {error.status}") from None
        first = int((scratch / "at").read_text()) + 1


def pack(source: Path, artifact: Mapping[str, Any]) -> bytes:
    """The files that a buildspec names, as an archive, under their paths in its base directory.

    Raises:
        ActionFailedError: there are none.
    """
    base = source / artifact.get("base-directory", ".")
    found = {path for pattern in listed(artifact.get("files", [])) for path in base.glob(pattern) if path.is_file()}
    if not found:
        raise ActionFailedError(f"CLIENT_ERROR: no matching artifact paths found for {artifact.get('files')}")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as archive:
        for path in sorted(found):
            archive.write(path, path.relative_to(base).as_posix())
    return made.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Unpacks an archive with the modes of its files, which zipfile leaves out, and its links."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            path, mode = Path(archive.extract(member, folder)), member.external_attr >> 16
            if stat.S_ISLNK(mode):
                path.unlink()
                path.symlink_to(archive.read(member).decode())
            elif mode and not member.is_dir():
                path.chmod(stat.S_IMODE(mode) | stat.S_IRUSR | stat.S_IWUSR)
