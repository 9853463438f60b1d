"""Ways into the embedded AWS: clients and process environments for each account and region."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from mistral7b.operate.place import Place
from mistral7b_cli.report import StepFailedError
from sagehost.accounts import DEFAULT_ACCOUNT, DEFAULT_REGION, access_key_id, credentials

_MAKING = threading.Lock()
_SESSION = cache(boto3.Session)
_BACKSTAGE_S = 60


class BackstageError(StepFailedError):
    """The embedded AWS refuses; the text is its message."""


@dataclass(frozen=True)
class Cloud:
    """An embedded AWS that runs."""

    url: str
    secret: str = field(repr=False)
    """The secret access key of every account."""
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)

    def client(self, service: str, account: str, region: str) -> Any:
        """A boto3 client; the same one for the same arguments."""
        key = (service, account, region)
        if key not in self._clients:
            found = credentials(account, region, secret=self.secret)
            own = {"AccessKeyId": found["AWS_ACCESS_KEY_ID"], "SecretAccessKey": found["AWS_SECRET_ACCESS_KEY"]}
            self._clients[key] = self.session_client(service, region, own)
        return self._clients[key]

    def session_client(self, service: str, region: str, session: Mapping[str, str]) -> Any:
        """A boto3 client with credentials as STS gives them."""
        with _MAKING:  # boto3's sessions are not made for threads, its clients are
            return _SESSION().client(
                service,
                region,
                endpoint_url=self.url,
                aws_access_key_id=session["AccessKeyId"],
                aws_secret_access_key=session["SecretAccessKey"],
                aws_session_token=session.get("SessionToken"),
                config=Config(s3={"addressing_style": "path"}),
            )

    def environ(self, place: Place) -> dict[str, str]:
        """This process's environment, with the settings of an account and region in place of its own of AWS."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return others | credentials(place.account, place.region, secret=self.secret) | {"AWS_ENDPOINT_URL": self.url}

    def deployed(self, kind: str, account: str, region: str, name: str) -> dict[str, Any] | None:
        """The properties of a resource of this type, as they were deployed; None if there is none."""
        found: dict[str, Any] | None = self.backstage("read", account=account, region=region, type=kind, name=name)[
            "properties"
        ]
        return found

    def backstage(self, operation: str, **members: Any) -> dict[str, Any]:
        """Has the embedded AWS do what no API of AWS's does: see `sagehost.pipelines.backstage`.

        Raises:
            BackstageError: it refuses.
        """
        url = f"{self.url}/_sagehost/backstage/{operation}"
        signed = AWSRequest("POST", url, {"Content-Type": "application/json"}, json.dumps(members))
        keys = Credentials(access_key_id(DEFAULT_ACCOUNT), self.secret)
        SigV4Auth(keys, "sagehost", DEFAULT_REGION).add_auth(signed)
        sent = {"headers": dict(signed.headers), "body": signed.data}
        try:  # urllib3 leaves the environment's proxies alone, which have nothing to do with localhost
            answer = urllib3.request("POST", url, **sent, timeout=_BACKSTAGE_S, retries=False)
        except urllib3.exceptions.HTTPError as error:
            raise BackstageError(f"the embedded AWS does not answer: {error}") from None
        found: dict[str, Any] = answer.json()
        if answer.status != 200:
            raise BackstageError(found["message"])
        return found
