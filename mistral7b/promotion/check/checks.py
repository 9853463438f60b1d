"""Whether each account is ready for the pipeline, found before anything is deployed: all checks at the same time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.operate.account import CHECKS
from mistral7b.operate.bootstrap import bootstrap as bootstrap_check
from mistral7b.operate.bootstrap import lookup_refused
from mistral7b.operate.calls import Client, denied
from mistral7b.operate.checks import AT_ONCE, Check, Finding, Target, run
from mistral7b.operate.place import Place
from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.check.connection import READS, check_connection
from mistral7b.promotion.github_actions import deploy_role_name, review_role_name
from mistral7b.promotion.names import gate_role_name
from mistral7b.promotion.schema import Promotion


def check(
    promotion: Promotion,
    cloud: Cloud,
    on_done: Callable[[list[Finding]], None] = lambda _: None,
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> list[Finding]:
    """Everything that the pipeline needs of its accounts, in the order of promotion.

    The credentials have to be those of the pipeline's account. It reads by the lookup roles of the bootstrap, which
    may read (AWS's ReadOnlyAccess) and nothing else. `on_done` gets findings as they come, in any order.
    """
    found = promotion.places(bootstrap)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        clients = dict(zip(found, pool.map(partial(lookup_client, cloud), found), strict=True))
    return run(_checks(promotion, clients), on_done)


def named_roles(promotion: Promotion | None, environment: str) -> tuple[str, ...]:
    """The roles that an environment's stacks make because it is promoted."""
    if promotion is None or environment not in [one.name for one in promotion.environments]:
        return ()
    github = (deploy_role_name(environment), review_role_name(environment))
    return gate_role_name(environment), *(github if promotion.settings.github_actions else ())


def lookup_client(cloud: Cloud, place: Place) -> Client | Finding:
    """What reads the place, or why nothing can."""
    try:
        return cloud.acting_as(place.role_arn("lookup"), place.region)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and denied(error):
            return lookup_refused(place, error)
        return Finding("failure", f"AWS could not be asked: {error}", "see to what AWS says, then ask again")


def _checks(promotion: Promotion, clients: dict[Place, Client | Finding]) -> Iterator[tuple[Check, Target]]:
    """Each place's bootstrap, what is in each place, and the connection, which is in the first."""
    file = str(promotion.file)
    for place, client in clients.items():
        yield readable(bootstrap_check, place, client, file)
    for one in promotion.environments:
        [place] = [place for place in clients if (place.account, place.region) == (one.account, one.region)]
        own, roles = str(promotion.file.with_name(f"{one.name}.yaml")), named_roles(promotion, one.name)
        unread = (replace(bootstrap_check, name="environment"),)
        for each in unread if isinstance(clients[place], Finding) else CHECKS[1:]:  # the first is the bootstrap
            found, target = readable(each, place, clients[place], own)
            yield found, replace(target, environment=one.environment, roles=roles)
    place, client = next(iter(clients.items()))
    connection = Check("connection", READS, "", partial(check_connection, promotion.settings))
    yield readable(connection, replace(place, used_by=("pipeline",)), client, file)


def readable(check: Check, place: Place, client: Client | Finding, file: str) -> tuple[Check, Target]:
    """The check, or in its place why it cannot be made."""
    if not isinstance(client, Finding):
        return check, Target(place, client, file)
    later = Finding("not checked", "its account has to be bootstrapped first")
    found = client if check is bootstrap_check else later
    return replace(check, find=lambda _: iter([found])), Target(place, lambda _: None, file)
