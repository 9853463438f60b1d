"""`mistral7b models`: the catalogue."""

import typer

from mistral7b import catalog
from mistral7b.cli.options import AsJson
from mistral7b.cli.output import out, table, write_json


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("models")(models)


def models(as_json: AsJson = False) -> None:
    """List the models and versions that can be deployed.

    `model` and `model_version` in an environment file choose one; the default version is marked with a star.
    """
    if as_json:
        write_json([_row(m, v) for m in catalog.models() for v in m.versions])
        return
    for model in catalog.models():
        versions = table(
            f"{model.name}: {catalog.JUMPSTART_IDS[model.name]}",
            "version",
            "TGI",
            "weights",
            "default instance",
            "regions",
        )
        for v in model.versions:
            mark = " *" if v == model.default_version else ""
            versions.add_row(v.version + mark, v.tgi_version, v.weights, v.default_instance_type, str(len(v.regions)))
        out.print(versions)
    for regions in sorted({v.regions for m in catalog.models() for v in m.versions}, key=len):
        out.print(f"{len(regions)} regions: {', '.join(regions)}", soft_wrap=True)
    out.print("\n* the default: the newest on TGI 1.1.0. --json prints instance types, images and artifacts, too.")


def _row(model: catalog.Model, version: catalog.ModelVersion) -> dict[str, object]:
    return {
        "model": model.name,
        "id": version.jumpstart_id,
        "version": version.version,
        "default": version == model.default_version,
        "tgi_version": version.tgi_version,
        "weights": version.weights,
        "artifact_key": version.artifact_key,
        "image_tag": version.image_tag,
        "default_instance_type": version.default_instance_type,
        "instance_types": list(version.supported_instance_types),
        "regions": list(version.regions),
    }
