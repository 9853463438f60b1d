"""Whether each account is ready for the pipeline, asked before anything is deployed: all checks at the same time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.operate.account import Client, account_problems
from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap
from mistral7b.promotion.check.bootstrap import Result, check_bootstrap, denied, lookup_refused
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.check.connection import check_connection
from mistral7b.promotion.places import Place, places
from mistral7b.promotion.promotion import PromotedEnvironment, Promotion
from mistral7b.yamlfile import Problem

_AT_ONCE = 8


@dataclass(frozen=True)
class Finding:
    """One thing that the pipeline needs."""

    subject: str
    """What it is: `bootstrap`, `environment` or `connection`."""
    used_by: tuple[str, ...]
    """What needs it: `pipeline`, or environments."""
    account: str
    region: str
    status: str
    """`fine`, `refused`, or `later`: it is not there yet, and the pipeline's deployment makes it."""
    detail: str
    """What is there, or why it will not do."""
    problems: tuple[Problem, ...]
    """What is refused, each with its fix."""


def check(
    promotion: Promotion,
    cloud: Cloud,
    on_done: Callable[[Finding], None] = lambda _: None,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> list[Finding]:
    """Everything that the pipeline needs of its accounts, in the order of promotion.

    The credentials have to be those of the pipeline's account. `on_done` gets each finding as it comes, in any order.
    """

    def run(one: Check) -> Finding:
        finding = one.finding(cloud)
        on_done(finding)
        return finding

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(run, _checks(promotion, places(promotion, bootstrap))))


@dataclass(frozen=True)
class Check:
    """One question to an account."""

    subject: str
    used_by: tuple[str, ...]
    place: Place
    look: Callable[[Client], Result]
    file: str = ""
    """The pipeline's, for the problems."""

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
                result = lookup_refused(place, error) if self.subject == "bootstrap" else later
        status, detail, problems = result
        if isinstance(problems, str):
            where = f"{self.subject} of {', '.join(self.used_by)} ({place.account}, {region})"
            problems = [Problem(self.file, None, where, None, detail, problems)] if problems else []
        return Finding(self.subject, self.used_by, place.account, region, status, detail, tuple(problems))


def _checks(promotion: Promotion, found: list[Place]) -> Iterator[Check]:
    file = str(promotion.file)
    for place in found:
        yield Check("bootstrap", place.used_by, place, partial(check_bootstrap, place), file)
    for place in found:
        for one in promotion.environments:
            if (one.account, one.region) == (place.account, place.region):
                own = str(promotion.file.with_name(f"{one.name}.yaml"))
                yield Check("environment", (one.name,), place, partial(_check_environment, one, own))
    yield Check("connection", ("pipeline",), found[0], partial(check_connection, promotion.settings), file)


def _check_environment(promoted: PromotedEnvironment, file: str, client: Client) -> Result:
    problems = account_problems(client, promoted.environment, file)
    if not problems:
        return "fine", "nothing was found that would fail its deployment", ""
    told = "; ".join(f"{one.file}: {one.field} = {one.value!r}: {one.reason}" for one in problems)
    return "refused", told, problems
