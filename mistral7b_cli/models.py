"""`mistral7b models`: the catalogue."""

from difflib import get_close_matches
from typing import Annotated

import typer

from mistral7b import catalog
from mistral7b.errors import FAILED, UserError
from mistral7b_cli.layout import Table
from mistral7b_cli.options import AsJson
from mistral7b_cli.output import say, write_json


def models(
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="WORD", help="Only what has this model, version, region or instance type, or this word in its card."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the models and versions that you can deploy.

    `model` and `model_version` in an environment file choose one; `artifact` and `image` replace its weights and image.
    A star marks the default version.
    """
    found = _find(word)
    if as_json:
        write_json([_row(m, v) for m, versions in found for v in versions])
        return
    if word is not None:
        total = sum(len(m.versions) for m in catalog.models())
        say(f"{sum(len(versions) for _, versions in found)} of {total} versions match {word}.\n")
    for model, versions in found:
        _show(model, versions)
    for regions in sorted({v.regions for _, versions in found for v in versions}, key=len):
        say(f"{len(regions)} regions: {', '.join(regions)}")
    say("\n* the default: the newest on TGI 1.1.0. --json also prints instance types, images and artifacts.")
    say(
        "JumpStart's newer versions run on LMI containers (DJL Serving) and are not listed: this project's checks, "
        "client, planner and embedded AWS know TGI, the container of JumpStart's announcement."
    )


def _find(word: str | None) -> list[tuple[catalog.Model, list[catalog.ModelVersion]]]:
    """The versions that have the word; if none has it, those that have it as a part of one."""
    words = {(m.name, v.version): _words(m, v) for m in catalog.models() for v in m.versions}
    wanted = (word or "").casefold()
    keys = {key for key, known in words.items() if wanted in known} or {
        key for key, known in words.items() if any(wanted in one for one in known)
    }
    if not keys:
        near = get_close_matches(wanted, sorted(set().union(*words.values())))
        hint = f"did you mean {' or '.join(near)}?" if near else "try a model, version, region or instance type"
        raise UserError(f"no model or version matches {word!r}\nfix: {hint} mistral7b models lists all", FAILED)
    found = ((m, [v for v in m.versions if (m.name, v.version) in keys]) for m in catalog.models())
    return [(m, versions) for m, versions in found if versions]


def _words(model: catalog.Model, version: catalog.ModelVersion) -> set[str]:
    card = {word.strip(".,:;").casefold() for word in " ".join(model.card.values()).split()}
    names = {model.name, version.jumpstart_id, version.version}
    return card | names | {*version.regions, *version.supported_instance_types}


def _show(model: catalog.Model, shown: list[catalog.ModelVersion]) -> None:
    say(f"{model.name}: {catalog.JUMPSTART_IDS[model.name]}", "bold")
    say("".join(f"{fact}: {text}\n" for fact, text in model.card.items()))
    marks = [" *" if v == model.default_version else "" for v in shown]
    rows = [
        (v.version + mark, v.tgi_version, v.weights, v.default_instance_type, str(len(v.regions)))
        for v, mark in zip(shown, marks, strict=True)
    ]
    say(Table("", ("version", "TGI", "weights", "default instance", "regions"), rows))


def _row(model: catalog.Model, version: catalog.ModelVersion) -> dict[str, object]:
    facts = ("version", "tgi_version", "weights", "artifact_key", "image_tag", "default_instance_type")
    return {
        "model": model.name,
        "id": version.jumpstart_id,
        **model.card,
        "default": version == model.default_version,
        **{fact: getattr(version, fact) for fact in facts},
        "instance_types": list(version.supported_instance_types),
        "regions": list(version.regions),
    }
