"""What a request asks for: the operation and its parameters, by botocore's model."""

# mypy: disallow-untyped-calls=False
# moto's parsers have no types.

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import moto.iam.models
from botocore.session import Session
from moto.core.model import StructureShape
from moto.core.parse import EC2QueryParser, JSONParser, QueryParser, RequestParserError, RestJSONParser, RestXMLParser
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException, NotFound

from sagehost.accounts import Credential
from sagehost.aws_errors import Refused, refused


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call of one operation."""

    service: str
    """botocore's name of the service."""
    operation: str
    given: Mapping[str, Any]
    """The parameters, as botocore's model names them."""
    account: str
    region: str
    access_key: str


def caller(authorization: str) -> dict[str, str]:
    """Access key, account and region that a signature tells. `sagehost.signatures` has checked it."""
    signed = Credential.of(authorization)
    # Looked up on the module: which account a key belongs to is patched there.
    account = moto.iam.models.get_account_id_from(signed.key_id)
    return {"access_key": signed.key_id, "account": account, "region": signed.region}


@cache
def services() -> Mapping[str, str]:
    """botocore's name of each service, by moto's."""
    return {name.replace("-", ""): name for name in Session().get_available_services()} | {"awslambda": "lambda"}


def read(environ: Mapping[str, Any], body: bytes, service: str) -> Asked:
    """The call that a request makes.

    Raises:
        Refused: the service cannot read the request.
        NotImplementedError: botocore's model lacks what is asked for.
    """
    model, request = get_service_model(service), Request({**environ, "wsgi.input": io.BytesIO(body)})
    protocol = determine_request_protocol(model, request.content_type)
    if protocol not in _PARSERS:
        raise NotImplementedError(f"{service} by the protocol {protocol}")
    form = _Form(request.values.items())
    try:
        if protocol == "json" and request.method != "POST":
            raise NotFound
        operation, labels = get_service_router(service).match(request)
        if operation.name == "PostObject":  # moto's own name of a browser's upload
            raise NotFound
        values = request.values if protocol.startswith("rest") else form
        sent: Any = {"values": values, "headers": request.headers, "body": body, "url_params": labels}
        given = _PARSERS[protocol](operation).parse(sent)
    except NotFound:
        action, version = form.get("Action"), form.get("Version")
        told = {"query": f"Could not find operation {action} for version {version}"}
        told["ec2"] = f"The action {action} is not valid for this web service."
        if protocol in told:
            raise Refused("InvalidAction", told[protocol]) from None
        target = request.headers.get("X-Amz-Target", f"{request.method} {request.path}")
        code = "UnknownOperationException" if protocol == "json" else "NotImplemented"
        raise Refused(code, f"{target} of {service} (not emulated)") from None
    except (HTTPException, RequestParserError, ValueError, OverflowError, RecursionError) as error:
        raise refused(service, "unreadable", error=error) from error
    if protocol == "query" and form.get("Version", model.api_version) != model.api_version:
        raise Refused("InvalidAction", f"Could not find operation {operation.name} for version {form['Version']}")
    if protocol.startswith("rest") and isinstance(operation.input_shape, StructureShape):
        at = {name: one.serialization for name, one in operation.input_shape.members.items()}
        in_query = {one.get("name") for one in at.values() if one.get("location") == "querystring"}
        for name in set(request.args) - in_query - {*operation.http_trait.query_args, "x-id"}:
            if not name.lower().startswith("x-amz-"):  # a header of a presigned request
                raise NotImplementedError(f"the parameter {name} of {operation.name}")
        # Without the empty lists and maps that moto makes of what a query or headers lack
        given = {name: one for name, one in given.items() if "location" not in at[name] or one not in (None, [], {})}
    signed = caller(environ.get("HTTP_AUTHORIZATION", ""))
    return Asked(service=service, operation=operation.name, given=given, **signed)


class _Form(dict[str, str]):
    """The form of a request, which remembers what a parser looks for."""

    def __init__(self, values: Any) -> None:
        super().__init__(values)
        self.known = dict.fromkeys(("Action", "Version"))

    def get(self, key: str, default: Any = None) -> Any:
        self.known[key] = None
        return super().get(key, default)


class _FormParser(QueryParser):
    """Query and EC2: no parameter is unknown, and numbers and truth values are such."""

    def _do_parse(self, request_dict: Any, shape: Any) -> Any:
        form, operation = request_dict["values"], self.operation_model
        try:
            parsed = super()._do_parse(request_dict, shape)
        except ValueError as error:
            name = next(reversed(form.known))
            raise ValueError(f"Value ({form.get(name)}) for parameter {name} is invalid: {error}") from error
        for name in form.keys() - form.known:
            if any(name.startswith(f"{one}.") for one in form.known if one in form):
                raise ValueError("Start of list found where not expected")
            if operation.service_model.service_name == "ec2":
                raise Refused("UnknownParameter", f"The parameter {name} is not recognized")
            raise NotImplementedError(f"the parameter {name} of {operation.name}")
        return parsed

    def _parse_boolean(self, shape: Any, query_params: Any, prefix: str = "") -> Any:
        if query_params.get(prefix, "true").lower() not in ("true", "false"):
            raise ValueError("neither true nor false")
        return super()._parse_boolean(shape, query_params, prefix)


class _Ec2Parser(_FormParser, EC2QueryParser):
    pass


_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("string", "character", "blob"), (str,)),
    **dict.fromkeys(("integer", "long"), (int,)),
    **dict.fromkeys(("float", "double"), (int, float)),
    **{"boolean": (bool,), "timestamp": (int, float, str), "list": (list,), "structure": (dict,), "map": (dict,)},
}


class _JsonParser(JSONParser):
    """JSON: types are the model's, and no member is unknown."""

    def _parse_body_as_json(self, body_contents: bytes) -> Any:
        parsed = json.loads(body_contents, parse_constant=int)  # which refuses NaN's and Infinity's
        if not isinstance(parsed, dict):
            raise ValueError("Unexpected token: expected the start of a structure")
        return parsed

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        if node is None:  # left to the constraints
            return None
        if "location" not in shape.serialization and not getattr(shape, "is_document_type", False):
            if type(node) not in _JSON_TYPES[shape.type_name]:
                raise ValueError(f"{type(node).__name__.upper()}_VALUE can not be converted to {shape.name}")
            if shape.type_name == "structure":
                known = {one.serialization.get("name", name) for name, one in shape.members.items()}
                for name in node.keys() - known - {"__type"}:
                    raise NotImplementedError(f"the member {name} of {shape.name}")
        return super()._parse_shape(shape, node)


class _RestJsonParser(_JsonParser, RestJSONParser):
    _do_parse = RestJSONParser._do_parse

    def _initial_body_parse(self, body_contents: bytes) -> Any:
        return self._parse_body_as_json(body_contents or b"{}")


class _XmlParser(RestXMLParser):
    """XML: elements are the model's."""

    def _parse_structure(self, shape: Any, node: Any) -> Any:
        names = {self._member_key_name(member, name) for name, member in shape.members.items()}
        for child in node[0] if isinstance(node, list) else node:
            if self._node_tag(child) not in names:
                raise ValueError(f"The element {self._node_tag(child)} of {shape.name} is not expected")
        return super()._parse_structure(shape, node)

    def _parse_boolean(self, shape: Any, node: Any) -> Any:
        if getattr(node, "text", node) not in ("true", "false"):
            raise ValueError(f"{shape.name} is neither true nor false")
        return super()._parse_boolean(shape, node)


_PARSERS: Mapping[str, Any] = {
    **{"query": _FormParser, "ec2": _Ec2Parser, "json": _JsonParser},
    **{"rest-json": _RestJsonParser, "rest-xml": _XmlParser},
}
