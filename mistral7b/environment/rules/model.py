"""Model, version, region and instance type: what JumpStart publishes together."""

from mistral7b import catalog
from mistral7b.environment.rules.registry import Findings, rule, version_is_known
from mistral7b.environment.schema import Environment
from mistral7b.yamlfile import Finding, with_guess


@rule("model", "model_version")
def _version_exists(env: Environment) -> Findings:
    """The version is one that JumpStart has published. Source: JumpStart."""
    model = catalog.model(env.model)
    known = [version.version for version in model.versions]
    if env.model_version is not None and env.model_version not in known:
        fix = f"use one of {', '.join(known)}; the default is {model.default_version.version}"
        reason = f"JumpStart has no such version of {env.model} for the TGI container"
        yield Finding("model_version", reason, with_guess(env.model_version, known, fix))


@rule("region")
def _region_is_known(env: Environment) -> Findings:
    """The version's artifact is published in the region, and the message lists where it is. Source: JumpStart."""
    known = catalog.regions()
    fix = f"use one of {', '.join(known)}"
    if env.region.startswith("us-gov-"):
        yield Finding("region", "JumpStart publishes no Mistral 7B in AWS GovCloud (US)", fix)
    elif env.region not in known:
        yield Finding("region", "JumpStart publishes Mistral 7B in no such region", with_guess(env.region, known, fix))


@rule("region", "model", "model_version")
def _region_has_the_artifact(env: Environment) -> Findings:
    """The version's artifact is published in the region, and the message lists where it is. Source: JumpStart."""
    if version_is_known(env) and env.region in catalog.regions() and env.region not in env.version.regions:
        published = ", ".join(env.version.regions)
        fix = f"use one of {published}; or a model_version that is (`mistral7b models` lists them)"
        yield Finding("region", f"JumpStart does not publish {env.model} {env.version.version} there", fix)


@rule("instance.type")
def _instance_type_is_known(env: Environment) -> Findings:
    """The version is offered on the instance type. Source: JumpStart."""
    known = [t.name for t in catalog.instance_types()]
    if env.instance.type is not None and env.instance.type not in known:
        fix = with_guess(env.instance.type, known, f"use one of {', '.join(known)}")
        yield Finding("instance.type", "Mistral 7B is not offered on it", fix)


@rule("instance.type", "model", "model_version")
def _instance_type_runs_the_model(env: Environment) -> Findings:
    """The version is offered on the instance type. Source: JumpStart."""
    if not (version_is_known(env) and env.instance_type in [t.name for t in catalog.instance_types()]):
        return
    if env.instance_type not in env.version.supported_instance_types:
        reason = f"JumpStart does not offer {env.model} {env.version.version} on it"
        yield Finding("instance.type", reason, f"use one of {', '.join(env.version.supported_instance_types)}")
