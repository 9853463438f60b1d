"""What a synth warns of: settings that can be deployed and yet do harm."""

from mistral7b.capacity.admission import why_never_admitted
from mistral7b.environment.schema import Environment

NEVER_SCHEDULED = "mistral7b:prompts-never-scheduled"


def warnings(env: Environment) -> dict[str, str]:
    """The warnings by their ids. A file that writes JumpStart's own MAX_INPUT_LENGTH out acknowledges the first."""
    jumpstart = env.jumpstart_environment()["MAX_INPUT_LENGTH"]
    reason = why_never_admitted(env.launcher_settings())
    if reason is None or env.tgi.to_environment().get("MAX_INPUT_LENGTH") == jumpstart:
        return {}
    keep = f"`tgi: {{MAX_INPUT_LENGTH: {jumpstart}}}` keeps JumpStart's value without this warning."
    return {NEVER_SCHEDULED: f"{env.name}: {reason}, under `tgi:`. {keep}"}
