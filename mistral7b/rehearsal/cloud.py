"""Ways into the embedded AWS: clients and process environments for each account and region."""

import os
from dataclasses import dataclass, field
from typing import Any

from mistral7b.promotion import Promotion


@dataclass(frozen=True, order=True)
class Place:
    """An account and a region."""

    account: str
    region: str

    def __str__(self) -> str:
        """As `cdk bootstrap` takes it."""
        return f"aws://{self.account}/{self.region}"


def places(promotion: Promotion) -> list[Place]:
    """Where `cdk bootstrap` has to be run once, the pipeline's own place first.

    A pipeline that deploys to another region keeps a bucket there, in its own account, from which CloudFormation of
    that region takes the templates.
    """
    account = promotion.settings.account
    own = Place(account, promotion.settings.region)
    of_environments = {Place(e.account, e.region) for e in promotion.environments}
    buckets = {Place(account, e.region) for e in promotion.environments}
    return [own, *sorted((of_environments | buckets) - {own})]


@dataclass(frozen=True)
class Cloud:
    """An embedded AWS that runs."""

    url: str
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)

    def client(self, service: str, account: str, region: str) -> Any:
        """A boto3 client; the same one for the same arguments."""
        key = (service, account, region)
        if key not in self._clients:
            self._clients[key] = self._new_client(*key)
        return self._clients[key]

    def settings(self, place: Place) -> dict[str, str]:
        """The settings with which a program acts in an account and region, as `mistral7b local up` prints them."""
        from localaws.accounts import credentials  # noqa: PLC0415 - only the commands that need it import localaws

        return {**credentials(place.account, place.region), "AWS_ENDPOINT_URL": self.url}

    def environ(self, place: Place) -> dict[str, str]:
        """This process's environment with these settings in place of its own AWS settings."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return others | self.settings(place)

    def _new_client(self, service: str, account: str, region: str) -> Any:
        import boto3  # noqa: PLC0415 - a third of a second, which `mistral7b --help` does without

        settings = self.settings(Place(account, region))
        return boto3.Session(
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
        ).client(service, endpoint_url=self.url)
