"""`mistral7b pipeline github-jobs`: what the workflow of GitHub Actions reads."""

from mistral7b.errors import UserError
from mistral7b.promotion import PIPELINE_FILE
from mistral7b.promotion.github_actions import jobs
from mistral7b_cli.options import DEFAULT_FOLDER, EnvironmentsFolder, promotion_of
from mistral7b_cli.output import write_json


def github_jobs(folder: EnvironmentsFolder = DEFAULT_FOLDER) -> None:
    """Print what the GitHub Actions workflow reads from environments/pipeline.yaml, as JSON.

    Branch, commands, and each environment in the order of promotion, with its roles, gates and durations.
    docs/github-actions.md says how to set the workflow up.
    """
    promotion = promotion_of(folder)
    if promotion.settings.github_actions is None:
        file = folder / PIPELINE_FILE
        raise UserError(f"{file}: github_actions: it is not set\nfix: add the line  github_actions: {{}}")
    write_json(jobs(promotion))
