"""All the checks of a pipeline, at the same time where they take long."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.promotion.check.bootstrap import Place, check_bootstrap
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.check.connection import check_connection
from mistral7b.promotion.check.finding import Finding
from mistral7b.promotion.promotion import Promotion

_AT_ONCE = 8


class WrongCredentialsError(Exception):
    """The caller is not of the pipeline's account, or nobody; the text says who and what to do."""


def check(promotion: Promotion, cloud: Cloud, on_done: Callable[[Finding], None] = lambda _: None) -> list[Finding]:
    """Everything that the pipeline needs of its accounts, in the order of promotion.

    Args:
        promotion: the pipeline and its environments.
        cloud: asks AWS.
        on_done: called with each finding as it comes, in any order.

    Raises:
        WrongCredentialsError: the credentials are not those of the pipeline's account.
    """
    _check_caller(promotion, cloud)
    places = list(_places(promotion))
    checks = [partial(check_bootstrap, cloud, place) for place in places]
    checks.append(partial(check_connection, cloud, places[0], promotion.settings))

    def run(one: Callable[[], Finding]) -> Finding:
        finding = one()
        on_done(finding)
        return finding

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(run, checks))


def _check_caller(promotion: Promotion, cloud: Cloud) -> None:
    wanted = promotion.settings.account
    fix = f"fix: use credentials of account {wanted}: set AWS_PROFILE, or log in with aws sso login"
    try:
        account, arn = cloud.caller(promotion.settings.region)
    except (ClientError, BotoCoreError) as error:
        raise WrongCredentialsError(f"AWS does not say whose credentials these are: {error}\n{fix}") from error
    if account != wanted:
        reason = f"these are credentials of account {account} ({arn}), and the pipeline is in {wanted}"
        raise WrongCredentialsError(f"{reason}\n{fix}; or correct account in {promotion.file}")


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
