"""All the checks of a pipeline, at the same time where they take long."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.operate.account import Client, account_problems
from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap
from mistral7b.promotion.check.bootstrap import Place, check_bootstrap, denied, not_let_in
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.check.connection import check_connection
from mistral7b.promotion.check.finding import Finding, Result
from mistral7b.promotion.promotion import PromotedEnvironment, Promotion

_AT_ONCE = 8


def check(
    promotion: Promotion,
    cloud: Cloud,
    on_done: Callable[[Finding], None] = lambda _: None,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> list[Finding]:
    """Everything that the pipeline needs of its accounts, in the order of promotion.

    The credentials have to be those of the pipeline's account.

    Args:
        promotion: the pipeline and its environments.
        cloud: asks AWS.
        on_done: called with each finding as it comes, in any order.
        bootstrap: of the accounts.
    """

    def run(one: Check) -> Finding:
        finding = one.finding(cloud)
        on_done(finding)
        return finding

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(run, _checks(promotion, bootstrap)))


@dataclass(frozen=True)
class Check:
    """One question to an account."""

    subject: str
    used_by: tuple[str, ...]
    place: Place
    look: Callable[[Client], Result]

    def finding(self, cloud: Cloud) -> Finding:
        """What is found by the bootstrap's lookup role, which may read (AWS's ReadOnlyAccess) and nothing else."""
        place, region = self.place, self.place.region
        try:
            credentials = cloud.assume(place.role_arn("lookup"), region)
            result = self.look(lambda service: cloud.client(service, region, credentials))
        except (ClientError, BotoCoreError) as error:
            result = "refused", f"AWS could not be asked: {error}", "see to what AWS says, then ask again"
            if isinstance(error, ClientError) and error.operation_name == "AssumeRole" and denied(error):
                later: Result = "later", "not looked at: its account has to be bootstrapped first", ""
                result = not_let_in(place, error) if self.subject == "bootstrap" else later
        return Finding(self.subject, self.used_by, place.account, region, *result)


def _checks(promotion: Promotion, bootstrap: Bootstrap) -> Iterator[Check]:
    folder, settings = promotion.file.parent, promotion.settings
    places = [replace(place, bootstrap=bootstrap) for place in _places(promotion)]
    for place in places:
        yield Check("bootstrap", place.used_by, place, partial(check_bootstrap, place))
    for place in places:
        here = [one for one in promotion.environments if (one.account, one.region) == (place.account, place.region)]
        for one in here:
            yield Check("environment", (one.name,), place, partial(_check_environment, one, folder))
    yield Check("connection", ("pipeline",), places[0], partial(check_connection, settings))


def _check_environment(promoted: PromotedEnvironment, folder: Path, client: Client) -> Result:
    problems = account_problems(client, promoted.environment, folder / f"{promoted.name}.yaml")
    if not problems:
        return "fine", "nothing stands against its deployment", ""
    return (
        "refused",
        "; ".join(f"{one.file}: {one.field} = {one.value!r}: {one.reason}" for one in problems),
        "; ".join(one.fix for one in problems),
    )


def _places(promotion: Promotion) -> Iterator[Place]:
    """Every account and region, the pipeline's first, each once with all that is in it.

    Where an environment is in another region, the pipeline's own account has a stack there, too: the artifacts' copies.
    """
    own = promotion.settings.account
    used: dict[tuple[str, str], list[str]] = {(own, promotion.settings.region): ["pipeline"]}
    for environment in promotion.environments:
        own_stack = used.setdefault((own, environment.region), [])
        if "pipeline" not in own_stack:
            own_stack.append("pipeline")
        used.setdefault((environment.account, environment.region), []).append(environment.name)
    for (account, region), users in used.items():
        yield Place(account, region, tuple(users), own)
