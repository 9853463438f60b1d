"""Model, version, region and instance type: what JumpStart publishes together."""

from collections.abc import Iterator

from mistral7b import catalog
from mistral7b.environment.rules.known import version_is_known
from mistral7b.environment.rules.registry import Finding, rule
from mistral7b.environment.schema import Environment
from mistral7b.environment.suggest import nearest


@rule("model", "model_version")
def _version_exists(env: Environment) -> Iterator[Finding]:
    model = catalog.model(env.model)
    known = [v.version for v in model.versions]
    if env.model_version is not None and env.model_version not in known:
        yield Finding(
            ("model_version",),
            env.model_version,
            f"JumpStart has no such version of {env.model} for the TGI container",
            f"{_one_of(env.model_version, known)}; the default is {model.default_version.version}",
        )


@rule("region")
def _region_is_known(env: Environment) -> Iterator[Finding]:
    known = catalog.regions()
    if env.region.startswith("us-gov-"):
        reason, fix = "JumpStart publishes no Mistral 7B in AWS GovCloud (US)", f"use one of {', '.join(known)}"
        yield Finding(("region",), env.region, reason, fix)
    elif env.region not in known:
        reason = "JumpStart publishes Mistral 7B in no such region"
        yield Finding(("region",), env.region, reason, _one_of(env.region, known))


@rule("region", "model", "model_version")
def _region_has_the_artifact(env: Environment) -> Iterator[Finding]:
    if version_is_known(env) and env.region in catalog.regions() and env.region not in env.version.regions:
        yield Finding(
            ("region",),
            env.region,
            f"JumpStart does not publish {env.model} {env.version.version} there",
            f"use one of {', '.join(env.version.regions)}; or a model_version that is (`mistral7b models` lists them)",
        )


@rule("instance.type")
def _instance_type_is_known(env: Environment) -> Iterator[Finding]:
    known = [t.name for t in catalog.instance_types()]
    if env.instance.type is not None and env.instance.type not in known:
        yield Finding(
            ("instance", "type"),
            env.instance.type,
            "Mistral 7B is not offered on it",
            _one_of(env.instance.type, known),
        )


@rule("instance.type", "model", "model_version")
def _instance_type_runs_the_model(env: Environment) -> Iterator[Finding]:
    if not (version_is_known(env) and env.instance_type in [t.name for t in catalog.instance_types()]):
        return
    if env.instance_type not in env.version.supported_instance_types:
        yield Finding(
            ("instance", "type"),
            env.instance_type,
            f"JumpStart does not offer {env.model} {env.version.version} on it",
            f"use one of {', '.join(env.version.supported_instance_types)}",
        )


def _one_of(value: str, known: list[str]) -> str:
    guess = nearest(value, known)
    return (f"did you mean {guess}? Use" if guess else "use") + f" one of {', '.join(known)}"
