"""`mistral7b pipeline github-actions`: promotion by a workflow of GitHub Actions."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from mistral7b.cli.failure import CommandError
from mistral7b.cli.options import DEFAULT_FOLDER, EnvironmentsFolder
from mistral7b.cli.output import progress, write

if TYPE_CHECKING:
    from mistral7b.promotion import Promotion

_WORKFLOWS = PurePosixPath(".github/workflows")
_DEFAULT_OUTPUT = Path(".github/workflows/promote.yml")
_STANDARD_OUTPUT = "-"

_EPILOG = """
**Examples**

`mistral7b pipeline github-actions`

`mistral7b pipeline github-actions --check`

`mistral7b pipeline github-actions --settings > settings.sh`, then `bash settings.sh ORGANISATION/TEAM`

`GH_TOKEN="$(gh auth token)" mistral7b pipeline github-actions --verify-settings`

Run it in the repository's folder, and commit what it writes. docs/github-actions.md leads from nothing to the first
promotion. Exit status: 0 done, or all as it has to be; 1 the workflow or GitHub's settings differ; 2 wrong arguments or
files.
"""


def register(commands: typer.Typer) -> None:
    """Adds the command."""
    commands.command("github-actions", epilog=_EPILOG)(github_actions)


def github_actions(
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="The workflow's file; -: standard output.")
    ] = _DEFAULT_OUTPUT,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: tell whether the file is what the pipeline file says.")
    ] = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print a script that protects the environments on GitHub.")
    ] = False,
    verify_settings: Annotated[
        bool, typer.Option("--verify-settings", help="Ask GitHub whether the environments are protected.")
    ] = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Write the workflow that promotes as environments/pipeline.yaml says, for teams that use GitHub Actions.

    One build, whose cloud assembly is deployed to each environment in order, after a review of the rights that it
    would change; approvals are those of GitHub's environments.
    """
    if check + settings + verify_settings > 1:
        raise CommandError("--check, --settings and --verify-settings: give one of them", 2)
    promotion = _promotion(folder)
    if settings:
        from mistral7b.promotion.github_actions import settings_script  # noqa: PLC0415

        write(settings_script(promotion))
    elif verify_settings:
        _verify(promotion)
    else:
        _write_or_check(promotion, output, folder, check=check)


def _promotion(folder: Path) -> "Promotion":
    from mistral7b.promotion import PIPELINE_FILE, load_promotion  # noqa: PLC0415 - takes a moment to load

    file = folder / PIPELINE_FILE
    promotion = load_promotion(folder)
    if promotion is None:
        raise CommandError(f"{file}: there is no such file\nfix: write one, as docs/pipeline-file.md tells", 2)
    if promotion.settings.github_actions is None:
        reason = "the pipeline is not said to use GitHub Actions"
        raise CommandError(f"{file}: github_actions: {reason}\nfix: add the line  github_actions: {{}}", 2)
    return promotion


def _write_or_check(promotion: "Promotion", output: Path, folder: Path, *, check: bool) -> None:
    from mistral7b.promotion.github_actions import WORKFLOW_FILE, workflow  # noqa: PLC0415

    given = PurePosixPath(output.as_posix())
    own = given if given.parent == _WORKFLOWS else WORKFLOW_FILE  # elsewhere GitHub takes it for no workflow
    text = workflow(promotion, file=own, folder=_in_repository(folder))
    if str(output) == _STANDARD_OUTPUT and not check:
        write(text)
        return
    present = _read(output)
    if check:
        _compare(output, present, text)
    elif present == text:
        progress.print(f"{output} is up to date", markup=False)
    else:
        _write(output, text)
        progress.print(f"{output} is written: commit it", markup=False)


def _in_repository(folder: Path) -> PurePosixPath:
    """The folder as a runner has it, which keeps the repository elsewhere."""
    try:
        return PurePosixPath(folder.resolve().relative_to(Path.cwd().resolve()).as_posix())
    except ValueError:
        reason = "it is outside of the folder that the command runs in, so no workflow would find it"
        fix = "run the command in the repository's folder, and give a folder of the repository"
        raise CommandError(f"--environments {folder}: {reason}\nfix: {fix}", 2) from None


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--output {file}: it cannot be read: {error}\nfix: name another file", 2) from None


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--output {file}: it cannot be written: {error}\nfix: name another file", 2) from None


def _compare(file: Path, present: str | None, text: str) -> None:
    fix = "\nfix: run mistral7b pipeline github-actions, and commit what it writes"
    if present is None:
        raise CommandError(f"{file}: there is no such file{fix}")
    if present != text:
        own, wanted = present.splitlines(), text.splitlines()
        at = next((n for n, (a, b) in enumerate(zip(own, wanted, strict=False)) if a != b), min(len(own), len(wanted)))
        line = wanted[at].strip() if at < len(wanted) else "nothing more"
        raise CommandError(f"{file}:{at + 1}: it is not what the pipeline file says, which is: {line}{fix}")
    progress.print(f"{file} is what the pipeline file says", markup=False)


def _verify(promotion: "Promotion") -> None:
    from mistral7b.promotion.github_actions import UnreadableSettingsError, github, unprotected  # noqa: PLC0415

    repository = promotion.settings.source.repository
    try:
        with progress.status(f"asking GitHub for the environments of {repository}"):
            missing = list(unprotected(promotion, github()))
    except UnreadableSettingsError as error:
        raise CommandError(str(error), 2) from error
    if missing:
        fix = "fix: mistral7b pipeline github-actions --settings prints the script that sets them"
        raise CommandError("\n".join([f"environments of {repository} on GitHub", *missing, fix]))
    progress.print(f"the environments of {repository} are protected", markup=False)
