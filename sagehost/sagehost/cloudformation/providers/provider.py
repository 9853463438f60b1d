"""The mechanism behind all resource types: a provider is a row of data, and overrides a method where AWS is special.

What a row leaves out comes from the type's schema (attributes, tags, what a change replaces) and from botocore's model
of the service (names and types of parameters, the longest name).
"""

import contextlib
import functools
import re
import secrets
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import OperationModel, StructureShape
from moto.utilities.utils import get_partition

from sagehost import moto_app, roles
from sagehost.accounts import url_suffix
from sagehost.cloudformation import authorization, schema
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.coercion import coerce
from sagehost.cloudformation.values import Json, as_text

Props = Mapping[str, Json]
"""Properties of a resource, all of them known."""

_NOT_FOUND = re.compile(
    r"NotFound|NoSuch|NonExist|does not exist|Could not find|not found|No scal\w+ \w+ found", re.IGNORECASE
)
_SUFFIX = string.ascii_uppercase + string.digits

_OPPOSITES = {"associate": "disassociate", "attach": "detach", "authorize": "revoke", "register": "deregister"}


def _opposite(operation: str) -> str:
    """The operation that takes back another one, where their names follow AWS's habit."""
    verb, _, what = operation.partition("_")
    return f"{_OPPOSITES.get(verb, 'delete')}_{what}"


class ResourceNotFound(ResourceFailure):
    """The service says that the resource does not exist."""


def failure(service: str, code: str, message: str, status: int = 400) -> ResourceFailure:
    """CloudFormation's status reason for an error of a service."""
    where = f"(Service: {service}, Status Code: {status}, Error Code: {code})"
    kind = ResourceNotFound if _NOT_FOUND.search(f"{code} {message}") else ResourceFailure
    return kind(f'Resource handler returned message: "{message}" {where}')


def already_exists(resource_type: str, identifier: str) -> ResourceFailure:
    """CloudFormation's refusal to take over a resource that it has not created."""
    return ResourceFailure(f"Resource of type '{resource_type}' with identifier '{identifier}' already exists.")


@dataclass(frozen=True)
class Resource:
    """A resource of a stack, as its provider works on it."""

    provider: "Provider"
    account: str
    region: str
    stack_name: str
    logical_id: str
    id: str = ""
    """The physical id, which is what Ref gives; empty until the resource exists."""
    written: list[str] = field(default_factory=list)
    """The operations that have changed something."""
    role_arn: str | None = None
    """The role that its stack acts as; None: the account's administrator."""

    def call(self, operation: str, /, **parameters: Json) -> Json:
        """Call an operation of the type's service, its parameters brought to the types of the API.

        Raises:
            ResourceFailure: the service refuses, in CloudFormation's wording of it.
        """
        model = self._model(operation)
        shaped = coerce(parameters, model.input_shape, self.provider.type) if model.input_shape else {}
        self.authorize(operation, shaped)
        try:
            response = getattr(self._client, operation)(**shaped)
        except ClientError as error:
            told, metadata = error.response["Error"], error.response.get("ResponseMetadata", {})
            code, message, status = told.get("Code", "Unknown"), told.get("Message", ""), metadata.get("HTTPStatusCode")
            raise failure(model.service_model.service_id, code, message, status or 400) from error
        except ParamValidationError as error:
            raise ResourceFailure(f"Invalid request: {error}") from error
        for refused in response.get("Unsuccessful", []):  # EC2 refuses single resources in a call that succeeds
            raise ResourceFailure(refused["Error"]["Message"])
        if not operation.startswith(("describe", "get", "list")):
            self.written.append(operation)
        return response

    def authorize(self, operation: str, parameters: Props) -> None:
        """Raise ResourceFailure where the role of the stack may not call an operation of the type's service."""
        meta = self._client.meta
        try:
            if self.role_arn:
                authorization.check(self, meta.method_to_api_mapping[operation], parameters)
        except roles.AccessDenied as error:
            service, status = meta.service_model, 400 if "json" in meta.service_model.protocol else 403
            code = "UnauthorizedOperation" if self.provider.service == "ec2" else "AccessDenied"
            raise failure(
                service.service_id, f"{code}Exception" if status == 400 else code, error.message, status
            ) from error

    def call_on(self, operation: str, properties: Props, /, **parameters: Json) -> Json:
        """Call an operation on this resource, which the provider's handle names."""
        return self.call(operation, **{**parameters, **self.provider.handle_of(self, properties)})

    def has(self, operation: str) -> bool:
        """Whether the service has an operation."""
        return operation in self._client.meta.method_to_api_mapping

    def input_shape(self, operation: str) -> StructureShape:
        """What an operation takes."""
        return self._model(operation).input_shape

    def _model(self, operation: str) -> OperationModel:
        meta = self._client.meta
        return meta.service_model.operation_model(meta.method_to_api_mapping[operation])

    @property
    def _client(self) -> Any:
        return moto_app.client(self.provider.service, self.account, self.region)

    def text(self, pattern: str, properties: Props) -> str:
        """A pattern with the properties, `id`, `name` (the end of the id), `account`, `region` and so on filled in.

        A name that is not given is the end of the id, too; `path` is the id without a slash before it.
        """
        name, suffix, partition = re.split("[/:]", self.id)[-1], url_suffix(self.region), get_partition(self.region)
        where = {"account": self.account, "region": self.region, "partition": partition, "suffix": suffix}
        own = {"id": self.id, "name": name, "path": self.id.lstrip("/")}
        return pattern.format_map({self.provider.name: name, **properties, **where, **own})

    def value(self, of: "str | Attribute", properties: Props) -> Json:
        """The value of a pattern, or of a function."""
        return self.text(of, properties) if isinstance(of, str) else of(self, properties)

    def generated_name(self, limit: int, *, lower: bool = False) -> str:
        """A unique name such as CloudFormation gives: stack, logical id and 12 random characters."""
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(12))
        stem = f"{self.stack_name}-{self.logical_id}"[: limit - 13].rstrip("-")
        name = f"{stem}-{suffix}"
        return name.lower() if lower else name


Apply = Callable[[Resource, Props, Props], None]
"""Brings properties of a resource from the old values to the new: resource, new, old.

Old is empty when the resource has just been created. Called with new and old the other way round, it undoes itself.
"""

Attribute = Callable[[Resource, Props], Json]
"""The value of an attribute for Fn::GetAtt."""


@dataclass(frozen=True)
class Setting:
    """Properties that have API calls of their own, apart from the one that creates the resource."""

    properties: frozenset[str]
    apply: Apply
    removed_first: bool = False
    """Whether the service deletes the resource only after these are removed."""


@dataclass(eq=False)
class Provider:
    """How one resource type is created, changed and deleted. A property that is not listed here fails by name."""

    type: str
    _: KW_ONLY
    service: str = ""
    """botocore's name of the service. Default: the second part of the type."""
    create_with: str = ""
    """Operation that creates. Default: `create_` and the third part of the type."""
    update_with: str = ""
    """Operation that takes the parameters of `create_with` and the handle. Default: a change replaces the resource."""
    put_with: str = ""
    """Operation that creates and updates."""
    find_with: str = ""
    """Operation that finds a resource of the given name, to import it or lest `put_with` overwrites it."""
    delete_with: str = ""
    """Default: the opposite of `create_with`."""
    sends: str = ""
    """Properties that the creating call carries."""
    delete_sends: str = ""
    """Properties that the deleting call carries, and no other."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Property -> parameter, where they differ by more than case or the plural."""
    defaults: Props = field(default_factory=dict)
    """Parameters of the creating call that a property may override."""
    id: str = ""
    """The physical id: a path into the response, or a pattern of parameters. Default: the name."""
    handle: str = ""
    """What names the resource in calls: properties, and parameters that hold the id. Default: the end of `id`."""
    name: str = ""
    """Property that names the resource; generated when absent."""
    within: str = ""
    """Properties that name what the name is unique in. Default: account and region."""
    longest_name: int = 255
    """Where botocore's model tells no length."""
    lower_name: bool = False
    """Whether a generated name must be in lower case."""
    settings: Sequence[Setting] = ()
    attributes: Mapping[str, str | Attribute] = field(default_factory=dict)
    """Values of Fn::GetAtt, as patterns of `Resource.text` or functions. A read-only identifier is added: the id."""
    tags: bool = True
    """Whether moto takes the tags that the schema declares."""
    tagged_by: str | Attribute = ""
    """What names the resource in calls that change its tags, as in `attributes`. Default: its ARN or its id."""

    def __post_init__(self) -> None:
        _, service, kind = self.type.split("::")
        self.service = self.service or service.lower()
        self.create_with = self.create_with or self.put_with or f"create_{xform_name(kind)}"
        self.update_with = self.update_with or self.put_with
        self.delete_with = self.delete_with or _opposite(self.create_with)
        self.id = self.id or f"{{{self._parameter(self.name)}}}"
        self.handle = self.handle or (self.name if "{" in self.id else self.id.rpartition(".")[2])
        self.sent = frozenset(self.sends.split())

    @functools.cached_property
    def every_setting(self) -> Sequence[Setting]:
        """The settings, with that of the tags."""
        tagging = schema.load(self.type).tagging
        carried = self.sent.union(*(setting.properties for setting in self.settings))
        if not self.tags or tagging is None or tagging.property in carried:
            return self.settings
        return (*self.settings, Setting(frozenset([tagging.property]), functools.partial(_apply_tags, tagging)))

    @functools.cached_property
    def properties(self) -> frozenset[str]:
        """Every property that the provider carries over."""
        return self.sent.union(self.delete_sends.split(), *(setting.properties for setting in self.every_setting))

    @functools.cached_property
    def readable(self) -> Mapping[str, str | Attribute]:
        """The attributes, with the identifier."""
        declared = schema.load(self.type)
        identifier = declared.identifier if len(declared.identifier) == 1 else {"Id"}
        return {**dict.fromkeys(identifier & declared.read_only, "{id}"), **self.attributes}

    @property
    def system_tags(self) -> bool:
        """Whether the emulated service takes CloudFormation's own `aws:cloudformation:` tags."""
        return self.service in ("ec2", "events", "codepipeline", "codebuild", "codeconnections")

    @property
    def _updates(self) -> bool:
        return bool(self.update_with) or type(self).update is not Provider.update

    def attribute(self, resource: Resource, name: str, properties: Props) -> Json:
        """The value of a readable attribute."""
        return resource.value(self.readable[name], properties)

    def tagged(self, resource: Resource, parameter: str, properties: Props) -> str:
        """The value of the parameter that names the resource in the calls that change its tags."""
        arn = self.readable.get("Arn") if parameter.lower() == "resourcearn" else None
        return str(resource.value(self.tagged_by or arn or "{id}", properties)).removesuffix(":*")

    def replaced_by(self, changed: Iterable[str]) -> set[str]:
        """Of these properties, those whose change needs a new resource."""
        names, settable = set(changed), {name for setting in self.every_setting for name in setting.properties}
        in_place = self.properties if self._updates else self.properties - (self.sent - settable)
        return (names & schema.load(self.type).create_only) | (names - in_place)

    def handle_of(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """The parameters that name the resource in a call."""
        values = {word: resource.id for word in self.handle.split() if word not in self.properties}
        values |= {word: properties[word] for word in self.handle.split() if properties.get(word)}
        if self.name in self.handle.split():
            values.setdefault(self.name, resource.id.rsplit("/", 1)[-1])
        return {self._parameter(word): value for word, value in values.items()}

    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """The parameters of the creating call."""
        shaped = {self._parameter(key): value for key, value in properties.items() if key in self.sent}
        if self.name and not properties.get(self.name):
            key = self._parameter(self.name)
            members = {name.lower(): shape for name, shape in resource.input_shape(self.create_with).members.items()}
            longest = members[key.lower()].metadata.get("max", self.longest_name)
            shaped[key] = resource.generated_name(min(longest, self.longest_name), lower=self.lower_name)
        return {**self.defaults, **shaped}

    def _parameter(self, name: str) -> str:
        return self.rename.get(name, name)

    def create(self, resource: Resource, properties: Props) -> str:
        """Create the resource; gives its physical id."""
        if self.put_with and self.find_with and properties.get(self.name):
            with contextlib.suppress(ResourceNotFound):
                raise already_exists(self.type, self.find(resource, properties))
        parameters = self.parameters(resource, properties)
        response = resource.call(self.create_with, **parameters)
        return str(self.id.format_map(parameters) if "{" in self.id else jmespath.search(self.id, response))

    def find(self, resource: Resource, properties: Props) -> str:
        """The id of the resource that has the given name already. Raises ResourceNotFound: there is none."""
        resource.call_on(self.find_with, properties)
        return self.id.format_map(self.parameters(resource, properties))

    def update(self, resource: Resource, properties: Props) -> None:
        """Send all of `sends` again to a resource that exists."""
        resource.call_on(self.update_with, properties, **self.parameters(resource, properties))

    def delete(self, resource: Resource, properties: Props) -> None:
        """Delete the resource, after what has to go before it."""
        for setting in self.every_setting:
            if setting.removed_first:
                setting.apply(resource, {}, properties)
        sent = {self._parameter(name): properties[name] for name in self.delete_sends.split() if name in properties}
        resource.call_on(self.delete_with, properties, **sent)

    def wait(self, resource: Resource) -> None:
        """Wait, after creation and every change, until the resource is in service."""

    def configure(self, resource: Resource, new: Props, old: Props) -> None:
        """Bring a resource that exists from `old` to `new`. A ResourceFailure tells how far it came."""
        changed = {name for name in new.keys() | old.keys() if new.get(name) != old.get(name)}
        update = Setting(self.sent, lambda *_: self.update(resource, new))
        settings = [update] if old and self._updates else []
        settings += [one for one in self.every_setting if old or not one.properties <= self.sent]
        pending = [one for one in settings if changed & one.properties]
        try:
            while pending:
                resource.written.clear()
                pending[0].apply(resource, new, old)
                pending.pop(0)
            self.wait(resource)
        except ResourceFailure as failed:
            # One of several calls counts as all of them: what undoes them bears it if some were not made.
            del pending[: bool(resource.written)]
            left = frozenset[str]().union(*(one.properties for one in pending)) - (frozenset() if old else self.sent)
            present = {name: value for name, value in new.items() if name not in left}
            present |= {name: value for name, value in old.items() if name in left}
            failed.reached = {**present, **failed.reached}
            raise

    def remove(self, resource: Resource, properties: Props) -> None:
        """Delete a resource; one that is gone already counts as deleted."""
        try:
            self.delete(resource, properties)
        except ResourceNotFound:
            return


class SettingsOnly(Provider):
    """A resource that exists only in its stack, and consists of settings of other resources."""

    def create(self, resource: Resource, properties: Props) -> str:
        """Make an id of properties and of `generated`, a name."""
        return resource.text(self.id, {**properties, "generated": resource.generated_name(128)})

    def delete(self, resource: Resource, properties: Props) -> None:
        """Remove the settings."""
        for one in self.settings:
            one.apply(resource, {}, properties)


def setting(
    name: str,
    put: str,
    *,
    remove: str = "",
    default: Json = None,
    parameter: str = "",
    named_by: str = "",
    wrapped_in: str = "",
    shape: Callable[[Json], Json] = lambda value: value,
    **fixed: Json,
) -> Setting:
    """A property that one call sets, and another call or a default value unsets.

    Args:
        name: the property.
        put: operation that sets it.
        remove: operation that unsets it. Default: the opposite of `put`, if there is one.
        default: value that unsets it.
        parameter: name of the parameter, where it differs; `*` where the value's members are the parameters.
        named_by: parameter that takes the property's name.
        wrapped_in: member that holds the value, as a text, in the parameter's.
        shape: makes the parameter's value of the property's.
        fixed: further parameters of `put`.
    """

    def apply(resource: Resource, new: Props, old: Props) -> None:
        unset = remove or _opposite(put)
        if name not in new and default is None and resource.has(unset):
            resource.call_on(unset, old)
        elif name not in new and default is None:
            raise ResourceFailure(f"Property {name} of {resource.provider.type} cannot be removed once set")
        else:
            value = shape(new.get(name, default))
            value = {wrapped_in: as_text(value)} if wrapped_in else value
            named = {named_by: name} if named_by else {}
            resource.call_on(put, new, **(value if parameter == "*" else {parameter or name: value}), **named, **fixed)

    return Setting(frozenset([name]), apply)


def switch(name: str, enable: str, disable: str, *, default: bool = False) -> Setting:
    """A property that one call turns on and another one off."""

    def apply(resource: Resource, new: Props, _: Props) -> None:
        resource.call_on(enable if as_text(new.get(name, default)).lower() == "true" else disable, new)

    return Setting(frozenset([name]), apply)


def items(
    name: str,
    *,
    add: str,
    remove: str = "",
    parameters: str | Callable[[Json], Props],
    removing: str | Callable[[Json], Props] = "",
    along: str = "",
    initial: Sequence[Json] = (),
    removed_first: bool = False,
) -> Setting:
    """A list whose items are added and removed one by one.

    Args:
        name: the property.
        add: operation that adds an item.
        remove: operation that removes an item. Default: the opposite of `add`.
        parameters: the parameter that takes an item, or what makes parameters of it; `*`: its members are these.
        removing: what makes those of `remove`, or the only member that it takes; an item that has the same is
            overwritten. Default: `parameters`.
        along: property that `add` sends with each item; after its change all are added again.
        initial: the items of a new resource whose list is empty.
        removed_first: whether the service deletes the resource only without items.
    """

    def adding(item: Json) -> Props:
        if callable(parameters):
            return parameters(item)
        return dict(item) if parameters == "*" else {parameters: item}

    def named(item: Json) -> Props:
        if callable(removing):
            return removing(item)
        return {removing: item[removing]} if removing else adding(item)

    def apply(resource: Resource, new: Props, old: Props) -> None:
        gone, added = changes(name, new, old, initial)
        added = added if new.get(along) == old.get(along) else list(new.get(name) or ())
        sent = {resource.provider.rename.get(along, along): new[along]} if along and new else {}
        present = list(old.get(name) or initial)
        try:
            for item in gone:
                if named(item) not in map(named, added):
                    with contextlib.suppress(ResourceNotFound):
                        resource.call_on(remove or _opposite(add), old, **named(item))
                    present.remove(item)
            for item in added:
                resource.call_on(add, new, **adding(item), **sent)
                present = [one for one in present if named(one) != named(item)] + [item]
        except ResourceFailure as failed:
            # `along` has gone with some of the items: it is neither the old nor the new.
            failed.reached = dict.fromkeys(filter(None, [along])) | {name: present}
            raise

    return Setting(frozenset([name, along]) - {""}, apply, removed_first)


def changes(name: str, new: Props, old: Props, initial: Sequence[Json] = ()) -> tuple[list[Json], list[Json]]:
    """The items that a list loses and gains."""
    wanted, present = new.get(name) or initial, old.get(name) or initial
    return [one for one in present if one not in wanted], [one for one in wanted if one not in present]


def described(operation: str, path: str) -> Attribute:
    """An attribute that an operation tells, at this path of its response; `{id}` in it is the physical id."""
    named = "{id}" not in path

    def attribute(resource: Resource, properties: Props) -> Json:
        response = resource.call_on(operation, properties) if named else resource.call(operation)
        return jmespath.search(path.replace("{id}", resource.id), response)

    return attribute


def as_mapping(value: Json) -> dict[str, str]:
    """Tags in either form of the schemas as a mapping."""
    if isinstance(value, list):
        return {str(tag["Key"]): str(tag["Value"]) for tag in value}
    return {str(key): str(item) for key, item in (value or {}).items()}


def _apply_tags(tagging: schema.Tagging, resource: Resource, new: Props, old: Props) -> None:
    """Add and remove tags by the operations that the schema names, in the forms that botocore's model gives them."""
    wanted, present = as_mapping(new.get(tagging.property)), as_mapping(old.get(tagging.property))
    added = {key: value for key, value in wanted.items() if present.get(key) != value}
    for operation, tags in ((tagging.remove_with, dict.fromkeys(present.keys() - wanted)), (tagging.add_with, added)):
        if tags:
            members = resource.input_shape(operation).members
            holder = next(name for name in members if name.lower() in ("tags", "tagkeys"))
            (named,) = (name for name in members if name not in (holder, "DryRun", "ResourceType"))
            kind = {"ResourceType": resource.provider.type.split("::")[2]} if "ResourceType" in members else {}
            shaped = _tags_of(members[holder], tags)
            handle = {named: resource.provider.tagged(resource, named, new)}
            resource.call(operation, **kind, **handle, **{holder: shaped})


def _tags_of(shape: Any, tags: Mapping[str, str | None]) -> Json:
    if shape.type_name == "map":
        return tags
    if shape.member.type_name == "string":
        return sorted(tags)
    pair = tuple(shape.member.members)
    return [dict(zip(pair, one if one[1] is not None else one[:1], strict=False)) for one in tags.items()]
