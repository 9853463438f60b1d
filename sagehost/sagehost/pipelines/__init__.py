"""Pipelines as resources: CodePipeline's, CodeBuild's projects and connections, checked as AWS does, and stored.

Nothing runs here. `mistral7b pipeline rehearse` reads what is deployed and does what it says, by `backstage`. Of the
APIs there are the three operations that the project's own commands call.
"""


def install() -> None:
    """Answer the requests of the services, of connections by their present and their former name."""
    from sagehost import moto_app  # noqa: PLC0415 - whoever reads a definition does without moto
    from sagehost.pipelines import services  # noqa: PLC0415

    moto_app.serve("codepipeline", lambda: services.CodePipeline.dispatch)
    moto_app.serve("codeconnections", lambda: services.CodeConnections.dispatch)
    moto_app.serve("codestar-connections", lambda: services.CodeStarConnections.dispatch)
