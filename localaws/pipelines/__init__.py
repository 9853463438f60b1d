"""Pipelines as resources: CodePipeline's, CodeBuild's projects and connections, checked as AWS does, and stored.

Nothing runs here. `mistral7b pipeline rehearse` reads what is deployed and does what it says, by `backstage`. Of the
three APIs there is what CloudFormation's providers and the project's own commands call.
"""

from __future__ import annotations


def install() -> None:
    """Answer the requests of the three services, of connections by their present and their former name."""
    from localaws import moto_app  # noqa: PLC0415 - whoever reads a definition does without moto
    from localaws.pipelines import codebuild, codepipeline, connections  # noqa: PLC0415

    moto_app.serve("codepipeline", lambda: codepipeline.CodePipeline.dispatch)
    moto_app.serve("codebuild", lambda: codebuild.CodeBuild.dispatch)
    moto_app.serve("codeconnections", lambda: connections.CodeConnections.dispatch)
    moto_app.serve("codestar-connections", lambda: connections.CodeStarConnections.dispatch)
