"""Fields that an environment file leaves to the planner by the word `auto`."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from mistral7b.environment.rules import container_starts
from mistral7b.environment.schema import Environment
from mistral7b.tgi.settings import PLANNED
from mistral7b.workload import Workload
from mistral7b.yamlfile import FieldPath, Finding

AUTO = "auto"

VARIABLES = tuple(map(str.upper, PLANNED))
SCALING = ("target_concurrent_requests", "min_instances", "max_instances")
_COUNT: FieldPath = ("instance", "count")
FIELDS: tuple[FieldPath, ...] = (
    *(("tgi", variable) for variable in VARIABLES),
    *(("auto_scaling", name) for name in SCALING),
    _COUNT,
)
"""Fields that may be `auto`."""


def remove(values: dict[str, Any]) -> list[FieldPath]:
    """Removes every `auto` from an environment file's values; returns where they were."""
    found = []
    for path in FIELDS:
        section = values.get(str(path[0]))
        if isinstance(section, dict) and section.get(path[1]) == AUTO:
            del section[path[1]]
            found.append(path)
    return found


def resolve(env: Environment, fields: Iterable[FieldPath]) -> dict[FieldPath, int | float] | Finding:
    """The planner's figure for each field, or why there is none. `env` has no `auto` any more.

    The planner takes all other settings of the file as given.
    """
    # The planner takes a moment to load, and an environment without `auto` does without it.
    from mistral7b.capacity.memory import router_limits  # noqa: PLC0415
    from mistral7b.capacity.planner.search import InfeasibleError  # noqa: PLC0415

    fields = list(fields)
    first = ".".join(map(str, fields[0]))
    if env.workload is None:
        return Finding(first, "there is no workload to plan for", "add workload:, or give a number", AUTO)
    # Rules of fields that are planned were left out: what the container refuses of the others comes first.
    if refused := next(container_starts(env), None):
        return refused
    try:
        router_limits(env.launcher_settings(), env.instance_type)
        figures = _planned(env.workload.model_dump_json(), given(env, fields))
    except InfeasibleError as error:
        return Finding(first, error.reason, error.fix, AUTO)
    except LookupError as error:
        return Finding(first, str(error), "give a number: this cannot be planned", AUTO)
    scaled = env.auto_scaling is not None
    names = {path: str(path[1]).lower() for path in fields}
    names |= {_COUNT: "min_instances" if scaled else "max_instances"} if _COUNT in names else {}
    return {path: figures[name] for path, name in names.items()}


def given(env: Environment, fields: Sequence[FieldPath] = FIELDS) -> tuple[tuple[str, int | float], ...]:
    """What the planner must not change, by the names of its `Pinned`."""
    settings, scaling = env.launcher_settings(), env.auto_scaling
    names = [variable.lower() for variable in VARIABLES if ("tgi", variable) not in fields]
    names += ["cuda_memory_fraction", "waiting_served_ratio", "max_waiting_tokens"]
    values: dict[str, int | float] = {name: getattr(settings, name) for name in names}
    for name in ("min_instances", "max_instances"):
        if (("auto_scaling", name) if scaling else _COUNT) not in fields:
            values[name] = getattr(scaling, name) if scaling else env.instance.count
    names = ["scale_out_cooldown_seconds", "scale_in_cooldown_seconds"] if scaling else []
    return (*values.items(), *((name, getattr(scaling, name)) for name in names))


@lru_cache(maxsize=64)
def _planned(workload: str, values: tuple[tuple[str, int | float], ...]) -> dict[str, int | float]:
    from mistral7b.capacity.calibration import published_calibration  # noqa: PLC0415
    from mistral7b.capacity.planner.candidates import Pinned  # noqa: PLC0415
    from mistral7b.capacity.planner.plan import plan  # noqa: PLC0415

    pinned = Pinned(**dict(values))  # type: ignore[arg-type]  # each name has its own type
    settings = plan(Workload.model_validate_json(workload), published_calibration().parameters, pinned).settings
    return {name: getattr(settings, name) for name in settings.__slots__}
