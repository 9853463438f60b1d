"""CodePipeline: a service of our own in the place of moto's, which keeps definitions and runs none.

Executions start when a pipeline is created, by StartPipelineExecution, and when CloudFormation has updated a pipeline
with RestartExecutionOnUpdate. Nothing here pushes to a repository, so none starts by a push. An update cancels what is
under way, as on AWS; its running actions end by themselves. An action that fails fails its stage at once: what runs
beside it ends first, before another execution may enter, and approvals that wait beside it are withdrawn.

Triggers, conditions, automatic retries and roll-backs of stages, execution mode PARALLEL and other actions than those
of `action_types` are refused by name when a pipeline is created or updated.
"""

from __future__ import annotations

from localaws import moto_app


def install() -> None:
    """Answer CodePipeline's requests here; the code is loaded with the first of them."""
    moto_app.serve("codepipeline", _load)


def _load() -> moto_app.Dispatch:
    from localaws.codepipeline.api import CodePipeline  # noqa: PLC0415

    return CodePipeline.dispatch
