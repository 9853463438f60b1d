"""What AWS's services and console do without an API, for a client that runs pipelines: POST `/_sagehost/backstage/…`.

`read` gives the properties of a pipeline or project as deployed, `assume` a session of a role to a service that the
role trusts; `allows` says what a role's policies allow, `shake_hands` makes a connection AVAILABLE, `ask` has an
approval of a pipeline wait for its answer, and `set_time` makes it a time for schedules, such as Monday morning.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from moto.core.exceptions import ServiceException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sagehost import moto_app, roles
from sagehost.clock import CLOCK
from sagehost.pipelines.store import APPROVALS, AVAILABLE, RESOURCES, Approval, status

_PATH = "/_sagehost/backstage"


def _assume(role: str, service: str, source_arn: str, session: str) -> dict[str, Any]:
    """A session of a role for a service that acts for a resource; tools find it at the path `Credentials`, too.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """
    made = roles.assume(role, by=service, session_name=session, source_arn=source_arn)
    shown = {name: made[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    return shown | {"Credentials": f"{_PATH}/credentials/{made['AccessKeyId']}"}


def _ask(place: list[str], execution: str) -> dict[str, Any]:
    """`place` is account, region, pipeline, stage and action."""
    account, region, pipeline, stage, action = place
    for key in [one for one in APPROVALS if list(one[:4]) == place[:4] and APPROVALS[one].execution != execution]:
        del APPROVALS[key]  # a stage holds one execution
    approval = APPROVALS[account, region, pipeline, stage, action] = Approval(execution)
    return {"token": approval.token}


def _shake_hands(connection: str) -> dict[str, Any]:
    AVAILABLE.add(connection)
    return {"status": status(connection)}


def _set_time(now: str) -> dict[str, Any]:
    CLOCK.set(datetime.fromisoformat(now))
    return {"now": now}


_OPERATIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "read": lambda account, region, type, name: {"properties": RESOURCES[account, region, type].get(name)},
    "assume": _assume,
    "allows": lambda **asked: {"allowed": roles.allows_action(**asked)},
    "ask": _ask,
    "shake_hands": _shake_hands,
    "set_time": _set_time,
}


def routes() -> list[Route]:
    """Where these requests are taken."""
    return [
        Route(f"{_PATH}/{{operation}}", _post, methods=["POST"]),
        Route(f"{_PATH}/credentials/{{key}}", _credentials, methods=["GET"]),
    ]


async def _post(request: Request) -> JSONResponse:
    try:
        operation = _OPERATIONS[request.path_params["operation"]]
        return JSONResponse(await run_in_threadpool(_locked, operation, json.loads(await request.body())))
    except (ServiceException, KeyError, TypeError, ValueError) as error:
        return JSONResponse({"message": getattr(error, "message", str(error))}, status_code=400)


def _locked(operation: Callable[..., dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
    with moto_app.STATE:
        return operation(**arguments)


async def _credentials(request: Request) -> JSONResponse:
    """The credentials of a session, as containers get them; its own token lets the asker in."""
    session = roles.session(request.path_params["key"])
    given = request.headers.get("authorization", "")
    if session is None or not hmac.compare_digest(given.encode(), session.session_token.encode()):
        return JSONResponse({"code": "AccessDenied", "message": "no session has this token"}, status_code=403)
    return JSONResponse(
        {
            "RoleArn": session.role_arn,
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "Token": session.session_token,
            "Expiration": f"{session.expiration:%Y-%m-%dT%H:%M:%SZ}",
        }
    )
