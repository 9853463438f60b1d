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
from mistral7b.promotion.schema import PromotedEnvironment, Promotion
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

    def run(question: Question) -> Finding:
        finding = find(cloud, question)
        on_done(finding)
        return finding

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(run, _questions(promotion, places(promotion, bootstrap))))


Question = tuple[str, tuple[str, ...], Place, Callable[[Client], Result], str]
"""Subject and users as in `Finding`, where it is asked, how, and the file for the problems."""


def find(cloud: Cloud, question: Question) -> Finding:
    """What is found by the bootstrap's lookup role, which may read (AWS's ReadOnlyAccess) and nothing else."""
    subject, used_by, place, look, file = question
    try:
        credentials = cloud.assume(place.role_arn("lookup"), place.region)
        result = look(lambda service: cloud.client(service, place.region, credentials))
    except (ClientError, BotoCoreError) as error:
        result = "refused", f"AWS could not be asked: {error}", "see to what AWS says, then ask again"
        if isinstance(error, ClientError) and error.operation_name == "AssumeRole" and denied(error):
            later: Result = "later", "not looked at: its account has to be bootstrapped first", ""
            result = lookup_refused(place, error) if subject == "bootstrap" else later
    status, detail, problems = result
    if isinstance(problems, str):
        where = f"{subject} of {', '.join(used_by)} ({place.account}, {place.region})"
        problems = [Problem(file, None, where, None, detail, problems)] if problems else []
    return Finding(subject, used_by, place.account, place.region, status, detail, tuple(problems))


def _questions(promotion: Promotion, found: list[Place]) -> Iterator[Question]:
    file = str(promotion.file)
    for place in found:
        yield "bootstrap", place.used_by, place, partial(check_bootstrap, place), file
    for place in found:
        for one in promotion.environments:
            if (one.account, one.region) == (place.account, place.region):
                own = str(promotion.file.with_name(f"{one.name}.yaml"))
                yield "environment", (one.name,), place, partial(_check_environment, one, own), own
    yield "connection", ("pipeline",), found[0], partial(check_connection, promotion.settings), file


def _check_environment(promoted: PromotedEnvironment, file: str, client: Client) -> Result:
    problems = account_problems(client, promoted.environment, file)
    if not problems:
        return "fine", "nothing was found that would fail its deployment", ""
    told = "; ".join(f"{one.file}: {one.field} = {one.value!r}: {one.reason}" for one in problems)
    return "refused", told, problems
