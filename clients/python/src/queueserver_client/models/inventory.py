"""Plans and devices that an environment offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_client.models.wire_enum import WireEnum

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Value
    from queueserver.common.v1 import inventory_pb2


class ParameterKind(WireEnum):
    """The kind of a parameter, in Python's terms (inspect.Parameter.kind)."""

    UNSPECIFIED = "unspecified"
    POSITIONAL_ONLY = "positional_only"
    POSITIONAL_OR_KEYWORD = "positional_or_keyword"
    VAR_POSITIONAL = "var_positional"
    KEYWORD_ONLY = "keyword_only"
    VAR_KEYWORD = "var_keyword"


class TypeKind(WireEnum):
    """What a parameter's type is made of. Unspecified: not annotated, or not expressible."""

    UNSPECIFIED = "unspecified"
    ANY = "any"
    NONE = "none"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    LIST = "list"
    TUPLE = "tuple"
    MAP = "map"
    UNION = "union"
    ENUM = "enum"
    DEVICE = "device"
    PLAN = "plan"
    DEVICE_OR_PLAN = "device_or_plan"
    CALLABLE = "callable"
    LITERAL = "literal"
    RECORD = "record"


@dataclass(frozen=True)
class ParameterType:
    """What values a parameter takes, as a tree."""

    kind: TypeKind = TypeKind.UNSPECIFIED
    #: Types of the parts: elements, alternatives.
    arguments: Sequence[ParameterType] = ()
    #: For an enum: the texts that are allowed.
    choices: Sequence[str] = ()
    #: For a device: "Readable", "Movable", "Flyable"; empty for any.
    device_protocol: str = ""
    #: Name that the plan's author gave to a list of names or texts, or to a class with fields; empty for all others.
    type_name: str = ""
    #: For kinds that name devices or plans: only `choices` are allowed.
    listed: bool = False
    #: For a literal: the numbers and truth values that are allowed.
    values: Sequence[float | bool] = ()
    #: For a record: its fields, in order. With `open` there may be others.
    fields: Sequence[RecordField] = ()
    open: bool = False
    #: For a map: what the keys stand for; None if they are only texts.
    key: ParameterType | None = None
    #: For a device: the class that it must have, as module and name; empty for any.
    device_class: str = ""
    #: For a string: "date-time", "date", "time", "uuid", or a word for what the text becomes; empty for any text.
    format: str = ""

    @classmethod
    def from_proto(cls, proto: inventory_pb2.ParameterType) -> ParameterType:
        """Read the message of the contract."""
        return cls(
            kind=TypeKind.from_number(proto.kind),
            arguments=tuple(cls.from_proto(argument) for argument in proto.arguments),
            choices=tuple(proto.choices),
            device_protocol=proto.device_protocol,
            type_name=proto.type_name,
            listed=proto.listed,
            values=tuple(_scalar(value) for value in proto.values),
            fields=tuple(RecordField.from_proto(field) for field in proto.fields),
            open=proto.open,
            key=cls.from_proto(proto.key) if proto.HasField("key") else None,
            device_class=proto.device_class,
            format=proto.format,
        )


@dataclass(frozen=True)
class RecordField:
    """A field of a record."""

    name: str
    type: ParameterType
    required: bool = False
    #: The default as Python prints it; None if there is none, or if a new one is made each time.
    default_text: str | None = None
    #: Bounds, inclusive, of every number in it.
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def from_proto(cls, proto: inventory_pb2.RecordField) -> RecordField:
        """Read the message of the contract."""
        return cls(
            name=proto.name,
            type=ParameterType.from_proto(proto.type),
            required=proto.required,
            default_text=proto.default_text if proto.HasField("default_text") else None,
            minimum=proto.minimum if proto.HasField("minimum") else None,
            maximum=proto.maximum if proto.HasField("maximum") else None,
        )


def _scalar(value: Value) -> float | bool:
    if value.WhichOneof("kind") == "bool_value":
        return value.bool_value
    number = value.number_value
    return int(number) if number.is_integer() else number


@dataclass(frozen=True)
class ParameterDescription:
    """One parameter of a plan."""

    name: str
    kind: ParameterKind
    #: What it takes, for machines.
    type: ParameterType
    #: What it takes, for people; empty if there is no annotation.
    annotation: str = ""
    #: The default as a Python literal; None if the parameter is required.
    default_text: str | None = None
    description: str = ""
    #: The default is the decorator's.
    default_in_decorator: bool = False
    #: Bounds, inclusive, of every number in the argument.
    minimum: float | None = None
    maximum: float | None = None
    #: By how much a form should change the value.
    step: float | None = None
    unit: str = ""
    #: Whether names convert according to the decorator, whatever the type is; None if it does not say.
    convert_device_names: bool | None = None
    convert_plan_names: bool | None = None
    #: A text in the argument that names a device becomes that device, at least at some place of its type.
    takes_device_names: bool = False
    #: The part of the annotation that is not checked before the plan runs; empty if all of it is.
    unchecked: str = ""

    @classmethod
    def from_proto(cls, proto: inventory_pb2.ParameterDescription) -> ParameterDescription:
        """Read the message of the contract."""
        return cls(
            name=proto.name,
            kind=ParameterKind.from_number(proto.kind),
            type=ParameterType.from_proto(proto.type),
            annotation=proto.annotation,
            default_text=proto.default_text if proto.HasField("default_text") else None,
            description=proto.description,
            default_in_decorator=proto.default_in_decorator,
            minimum=proto.minimum if proto.HasField("minimum") else None,
            maximum=proto.maximum if proto.HasField("maximum") else None,
            step=proto.step if proto.HasField("step") else None,
            unit=proto.unit,
            convert_device_names=proto.convert_device_names if proto.HasField("convert_device_names") else None,
            convert_plan_names=proto.convert_plan_names if proto.HasField("convert_plan_names") else None,
            takes_device_names=proto.takes_device_names,
            unchecked=proto.unchecked,
        )


@dataclass(frozen=True)
class PlanDescription:
    """A plan that the environment's namespace offers."""

    name: str
    description: str = ""
    #: Its parameters, in order.
    parameters: Sequence[ParameterDescription] = ()
    module: str = ""
    is_generator: bool = True
    #: The function's own name, which differs from `name` if it is an alias.
    function_name: str = ""

    @classmethod
    def from_proto(cls, proto: inventory_pb2.PlanDescription) -> PlanDescription:
        """Read the message of the contract."""
        return cls(
            name=proto.name,
            description=proto.description,
            parameters=tuple(ParameterDescription.from_proto(parameter) for parameter in proto.parameters),
            module=proto.module,
            is_generator=proto.returns_generator,
            function_name=proto.function_name,
        )


@dataclass(frozen=True)
class FunctionDescription:
    """A function of the environment's namespace that ``client.tasks.execute_function`` can call."""

    name: str
    #: Its parameters as Python writes them, for example "(seconds: float = 1) -> None". Empty if not known.
    signature: str = ""
    #: The first line of its docstring.
    description: str = ""

    @classmethod
    def from_proto(cls, proto: inventory_pb2.FunctionDescription) -> FunctionDescription:
        """Read the message of the contract."""
        return cls(proto.name, proto.signature, proto.description)


@dataclass(frozen=True)
class DeviceDescription:
    """A device in the environment's namespace, or a component of one."""

    name: str
    is_readable: bool = False
    is_movable: bool = False
    is_flyable: bool = False
    classname: str = ""
    module: str = ""
    #: Its components. A component's full name is dotted: "bundle.motors.x".
    components: Sequence[DeviceDescription] = ()
    #: Only in a list of what a user group may use: not this device itself, but some component of it.
    excluded: bool = False
    #: Classes of which it is an instance, as far as parameters of plans ask for them.
    instance_of: Sequence[str] = ()

    @classmethod
    def from_proto(cls, proto: inventory_pb2.DeviceDescription) -> DeviceDescription:
        """Read the message of the contract."""
        return cls(
            name=proto.name,
            is_readable=proto.readable,
            is_movable=proto.movable,
            is_flyable=proto.flyable,
            classname=proto.class_name,
            module=proto.module,
            components=tuple(cls.from_proto(component) for component in proto.components),
            excluded=proto.excluded,
            instance_of=tuple(proto.instance_of),
        )


class InventoryIssueKind(WireEnum):
    """What an issue is about."""

    UNSPECIFIED = "unspecified"
    PLAN = "plan"
    DEVICE = "device"
    STARTUP_CODE = "startup_code"


@dataclass(frozen=True)
class InventoryIssue:
    """Something of the startup code that was left out, and why."""

    #: Its name in the namespace.
    name: str
    #: One sentence: what is wrong with it, and what would be right.
    message: str
    kind: InventoryIssueKind = InventoryIssueKind.UNSPECIFIED
    #: File of the user's code in which it is defined; empty if not known.
    file: str = ""
    #: Line in that file, from 1; 0 if not known.
    line: int = 0

    @classmethod
    def from_proto(cls, proto: inventory_pb2.InventoryIssue) -> InventoryIssue:
        """Read the message of the contract."""
        return cls(proto.name, proto.message, InventoryIssueKind.from_number(proto.kind), proto.file, proto.line)
