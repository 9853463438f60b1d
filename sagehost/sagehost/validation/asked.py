"""What a request asks for: the operation and its parameters, by botocore's model."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import moto.iam.models
from botocore.session import Session
from moto.core.model import OperationModel, ServiceModel, StructureShape
from moto.core.parse import EC2QueryParser, JSONParser, QueryParser, RequestParserError, RestJSONParser, RestXMLParser
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException, NotFound

from sagehost.aws_errors import Refused
from sagehost.validation.codes import codes


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


class _NotReadError(ValueError):
    """A request that its service cannot read."""


def caller(authorization: str) -> dict[str, str]:
    """Access key, account and region that a signature tells. `sagehost.signatures` has checked it."""
    key, _, region, *_ = [*authorization.partition("Credential=")[2].split("/"), "", ""]
    # Looked up on the module: which account a key belongs to is patched there.
    return {"access_key": key, "account": moto.iam.models.get_account_id_from(key), "region": region}


@cache
def _services() -> Mapping[str, str]:
    """botocore's name of each service, by moto's."""
    return {name.replace("-", ""): name for name in Session().get_available_services()} | {"awslambda": "lambda"}


def service_name(motos: str) -> str:
    """botocore's name of one of moto's services. Raises NotImplementedError: it has no such service."""
    if motos not in _services():
        raise NotImplementedError(f"the service {motos}")
    return _services()[motos]


def read(environ: Mapping[str, Any], body: bytes, service: str) -> Asked:
    """The call that a request makes.

    Raises:
        Refused: the service cannot read the request, or has no such operation.
        NotImplementedError: botocore's model lacks what is asked for.
    """
    model: ServiceModel = get_service_model(service)
    request = Request({**environ, "wsgi.input": io.BytesIO(body)})
    protocol = determine_request_protocol(model, request.content_type)
    if protocol not in _PARSERS:
        raise NotImplementedError(f"{service} by the protocol {protocol}")
    try:
        if protocol == "json" and request.method != "POST":
            raise NotFound
        operation, labels = get_service_router(service).match(request)
        if operation.name == "PostObject":  # moto's own name of a browser's upload
            raise NotFound
        sent = {
            "method": request.method,
            "values": _Form(request.values) if protocol in ("query", "ec2") else request.values,
            "headers": request.headers,
            "body": body,
            "url_params": labels,
        }
        given = _PARSERS[protocol](operation).parse(sent)  # type: ignore[arg-type,no-untyped-call]
    except NotFound:
        raise _unknown_operation(model, request, protocol) from None
    except (HTTPException, RequestParserError, ValueError, OverflowError, RecursionError) as error:
        raise Refused(codes(model).malformed, str(error)) from error
    if protocol.startswith("rest"):
        given = _outside_body(operation, request, given)
    else:
        version = request.values.get("Version", model.api_version)
        if protocol == "query" and version != model.api_version:
            raise Refused("InvalidAction", f"Could not find operation {operation.name} for version {version}")
    return Asked(
        service=service, operation=operation.name, given=given, **caller(environ.get("HTTP_AUTHORIZATION", ""))
    )


def _unknown_operation(model: ServiceModel, request: Request, protocol: str) -> Exception:
    if protocol == "ec2":
        action = request.values.get("Action")
        return Refused("InvalidAction", f"The action {action} is not valid for this web service.")
    if protocol == "query":
        action, version = request.values.get("Action"), request.values.get("Version", "NO_VERSION_SPECIFIED")
        return Refused("InvalidAction", f"Could not find operation {action} for version {version}")
    if protocol == "json":
        target = request.headers.get("X-Amz-Target", "")
        return Refused("UnknownOperationException", f"{model.service_name} has no operation '{target}' (not emulated)")
    return NotImplementedError(f"{request.method} {request.path} of {model.service_name}")


def _outside_body(operation: OperationModel, request: Request, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters without those that moto makes up: lists and maps of a query or of headers that lacks them.

    Raises NotImplementedError for a member of the query that the operation does not have.
    """
    shape = operation.input_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    at = {name: member.serialization.get("location") for name, member in members.items()}
    in_query = {one.serialization.get("name") for name, one in members.items() if at[name] == "querystring"}
    unknown = set(request.args) - in_query - {*operation.http_trait.query_args, "x-id"}
    for name in unknown:
        if not name.lower().startswith("x-amz-"):  # a header of a presigned request
            raise NotImplementedError(f"the parameter {name} of {operation.name}")
    return {name: value for name, value in given.items() if not at[name] or value not in (None, [], {})}


class _Form(dict[str, str]):
    """The form of a request, which remembers what it is asked for."""

    def __init__(self, values: Any) -> None:
        super().__init__(values.items())
        self.known = dict.fromkeys(("Action", "Version"))

    def get(self, key: str, default: Any = None) -> Any:
        self.known[key] = None
        return super().get(key, default)


class _FormParser(QueryParser):
    """Query and EC2: nothing is left over, and numbers and truth values are such."""

    def _do_parse(self, request_dict: Any, shape: Any) -> Any:
        form = request_dict["values"]
        try:
            parsed = super()._do_parse(request_dict, shape)  # type: ignore[no-untyped-call]
        except ValueError as error:
            name = next(reversed(form.known))
            raise _NotReadError(f"Value ({form.get(name)}) for parameter {name} is invalid: {error}") from error
        for name in form.keys() - form.known:
            if any(name.startswith(f"{one}.") and one in form for one in form.known):
                raise _NotReadError("Start of list found where not expected")
            if self.operation_model.service_model.service_name == "ec2":
                raise Refused("UnknownParameter", f"The parameter {name} is not recognized")
            raise NotImplementedError(f"the parameter {name} of {self.operation_model.name}")
        return parsed

    def _parse_boolean(self, shape: Any, query_params: Any, prefix: str = "") -> Any:
        if query_params.get(prefix, "true").lower() not in ("true", "false"):
            raise _NotReadError("it must be true or false")
        return super()._parse_boolean(shape, query_params, prefix)  # type: ignore[no-untyped-call]


class _Ec2Parser(_FormParser, EC2QueryParser):
    pass


_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("string", "character", "blob"), (str,)),
    **dict.fromkeys(("integer", "long"), (int,)),
    **dict.fromkeys(("float", "double"), (int, float)),
    **{"boolean": (bool,), "timestamp": (int, float, str), "list": (list,), "structure": (dict,), "map": (dict,)},
}
_TOKENS = {
    **{str: "STRING_VALUE", int: "NUMBER_VALUE", float: "DECIMAL_VALUE", bool: "TRUE_VALUE"},
    **{list: "Start of list", dict: "Start of structure or map", type(None): "NULL_VALUE"},
}
_BITS = {"integer": 31, "long": 63}


class _JsonParser(JSONParser):
    """JSON: types are the model's, and no member is unknown."""

    def _parse_body_as_json(self, body_contents: bytes) -> Any:
        parsed = json.loads(body_contents, parse_constant=_refuse_constant)
        if not isinstance(parsed, dict):
            raise _NotReadError("Unexpected token: expected the start of a structure")
        return parsed

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        # What is not in the body is text. A null in a list is left to the constraints.
        if "location" in shape.serialization or node is None or getattr(shape, "is_document_type", False):
            return None if node is None else super()._parse_shape(shape, node)  # type: ignore[no-untyped-call]
        kind, expected = type(node), _JSON_TYPES[shape.type_name]
        if kind not in expected or (kind is int and abs(node) >> _BITS.get(shape.type_name, 1100)):
            where = "found where not expected" if kind in (list, dict) else f"can not be converted to {shape.type_name}"
            raise _NotReadError(f"{_TOKENS[kind]} {where}: {shape.name}")
        if shape.type_name == "structure":
            known = {one.serialization.get("name", name) for name, one in shape.members.items()}
            for name in node.keys() - known - {"__type"}:
                raise NotImplementedError(f"the member {name} of {shape.name}")
        return super()._parse_shape(shape, node)  # type: ignore[no-untyped-call]


def _refuse_constant(constant: str) -> None:
    raise _NotReadError(f"Unexpected token: {constant}")


class _RestJsonParser(_JsonParser, RestJSONParser):
    _do_parse = RestJSONParser._do_parse

    def _initial_body_parse(self, body_contents: bytes) -> Any:
        return self._parse_body_as_json(body_contents or b"{}")


class _XmlParser(RestXMLParser):
    """XML: elements are the model's."""

    def _parse_structure(self, shape: Any, node: Any) -> Any:
        one = node[0] if isinstance(node, list) else node
        names = {self._member_key_name(member, name) for name, member in shape.members.items()}  # type: ignore[no-untyped-call]
        if unknown := {self._node_tag(child) for child in one} - names:  # type: ignore[no-untyped-call]
            raise _NotReadError(f"The element {sorted(unknown)[0]} of {shape.name} is not expected")
        return super()._parse_structure(shape, node)  # type: ignore[no-untyped-call]

    def _parse_boolean(self, shape: Any, node: Any) -> Any:
        if getattr(node, "text", node) not in ("true", "false"):
            raise _NotReadError(f"{shape.name} must be true or false")
        return super()._parse_boolean(shape, node)  # type: ignore[no-untyped-call]


_PARSERS: Mapping[str, Any] = {
    **{"query": _FormParser, "ec2": _Ec2Parser, "json": _JsonParser},
    **{"rest-json": _RestJsonParser, "rest-xml": _XmlParser},
}
