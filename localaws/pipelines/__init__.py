"""Where pipelines get their source from: connections to repositories, which here are clones on this laptop."""

from __future__ import annotations

from localaws import moto_app


def install() -> None:
    """Answer the requests of CodeConnections, by its present and its former name."""
    moto_app.serve("codeconnections", _load)
    moto_app.serve("codestar-connections", _load_former)


def _load() -> moto_app.Dispatch:
    from localaws.pipelines.connections_api import CodeConnections  # noqa: PLC0415 - loaded with the first request

    return CodeConnections.dispatch


def _load_former() -> moto_app.Dispatch:
    from localaws.pipelines.connections_api import CodeStarConnections  # noqa: PLC0415 - as above

    return CodeStarConnections.dispatch
