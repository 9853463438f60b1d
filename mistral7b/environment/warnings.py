"""What a synth warns of: settings that can be deployed and still do harm."""

from collections.abc import Iterable

from mistral7b.capacity.admission import why_never_admitted
from mistral7b.environment.schema import Environment

NEVER_SCHEDULED = "mistral7b:prompts-never-scheduled"


def never_scheduled(environments: Iterable[Environment]) -> dict[str, str]:
    """A warning for all environments that share its reason, by the first one's name.

    A file that writes JumpStart's own MAX_INPUT_LENGTH out acknowledges it.
    """
    concerned: dict[str, list[str]] = {}
    for env in environments:
        jumpstart = env.jumpstart_environment()["MAX_INPUT_LENGTH"]
        reason = why_never_admitted(env.launcher_settings())
        if reason is not None and env.tgi.to_environment().get("MAX_INPUT_LENGTH") != jumpstart:
            keep = f"`tgi: {{MAX_INPUT_LENGTH: {jumpstart}}}` keeps JumpStart's value without this warning."
            concerned.setdefault(f"{reason}, under `tgi:`. {keep}", []).append(env.name)
    return {names[0]: f"{', '.join(names)}: {text}" for text, names in concerned.items()}
