"""Pipelines as resources: CodePipeline's, CodeBuild's projects and connections, checked as AWS does, and stored.

Nothing runs here. `mistral7b pipeline rehearse` reads what is deployed and does what it says, by `backstage`. Of the
APIs there are the three operations that the project's own commands call.
"""
