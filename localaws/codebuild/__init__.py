"""CodeBuild: a service of our own. Builds are real processes on this machine."""

from __future__ import annotations

from localaws import moto_app


def install() -> None:
    """Answer CodeBuild's requests here; the code is loaded with the first of them."""
    moto_app.serve("codebuild", _load)


def _load() -> moto_app.Dispatch:
    from localaws.codebuild.api import CodeBuild  # noqa: PLC0415

    return CodeBuild.dispatch
