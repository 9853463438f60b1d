"""CodeBuild: a service of our own. Builds are processes on this machine, which pipelines start by `run`."""

from starlette.routing import Route

from localaws import moto_app
from localaws.codebuild import credentials, settings, shell
from localaws.codebuild.api import CodeBuild
from localaws.codebuild.runner import BuildResult, run
from localaws.codebuild.settings import Settings

__all__ = ["BuildResult", "Settings", "install", "kill_all", "routes", "run"]


def install(own: Settings | None = None) -> None:
    """Answer CodeBuild's requests here, and run builds with these settings. Without settings none can run."""
    moto_app.serve("codebuild", lambda: CodeBuild.dispatch)
    if own is not None:
        settings.use(own)


def routes() -> list[Route]:
    """Where the commands of builds get their credentials."""
    return credentials.routes()


def kill_all() -> None:
    """End the processes of every build: this process is about to end."""
    shell.kill_all()
