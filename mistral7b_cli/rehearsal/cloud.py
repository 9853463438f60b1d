"""Ways into the embedded AWS: clients and process environments for each account and region."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mistral7b.promotion import Promotion

_MAKING = threading.Lock()
_BACKSTAGE_S = 60


class BackstageError(Exception):
    """The embedded AWS refuses; the text is its message."""


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
        from sagehost.accounts import credentials  # noqa: PLC0415 - only the commands that need it import sagehost

        return {**credentials(place.account, place.region), "AWS_ENDPOINT_URL": self.url}

    def environ(self, place: Place) -> dict[str, str]:
        """This process's environment with these settings in place of its own AWS settings."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return others | self.settings(place)

    def _new_client(self, service: str, account: str, region: str) -> Any:
        settings = self.settings(Place(account, region))
        own = {"AccessKeyId": settings["AWS_ACCESS_KEY_ID"], "SecretAccessKey": settings["AWS_SECRET_ACCESS_KEY"]}
        return self.session_client(service, region, own)

    def session_client(self, service: str, region: str, credentials: Mapping[str, str]) -> Any:
        """A boto3 client with credentials as STS gives them."""
        import boto3  # noqa: PLC0415 - a third of a second, which `mistral7b --help` does without
        from botocore.config import Config  # noqa: PLC0415

        with _MAKING:  # boto3's sessions are not made for threads, its clients are
            return boto3.Session(
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials.get("SessionToken"),
                region_name=region,
            ).client(service, endpoint_url=self.url, config=Config(s3={"addressing_style": "path"}))

    def deployed(self, kind: str, account: str, region: str, name: str) -> dict[str, Any] | None:
        """The properties of a resource of this type, as they were deployed; None if there is none."""
        asked = {"account": account, "region": region, "type": kind, "name": name}
        found: dict[str, Any] | None = self.backstage("read", **asked)["properties"]
        return found

    def backstage(self, operation: str, **members: Any) -> dict[str, Any]:
        """Has the embedded AWS do what no API of AWS's does: see `sagehost.pipelines.backstage`.

        Raises:
            BackstageError: it refuses.
        """
        import urllib.error  # noqa: PLC0415 - with its opener a hundredth of a second, for `mistral7b --help`
        import urllib.request  # noqa: PLC0415

        # A proxy of the environment has nothing to do with localhost.
        http = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        body, kind = json.dumps(members).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sagehost/backstage/{operation}", body, kind)
        try:
            with http.open(request, timeout=_BACKSTAGE_S) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise BackstageError(json.load(error)["message"]) from None
        except urllib.error.URLError as error:
            raise BackstageError(f"the embedded AWS does not answer: {error.reason}") from None
