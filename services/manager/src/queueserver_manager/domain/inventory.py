"""Plans and devices of the last environment that opened, as far as the Manager needs to understand them.

Full descriptions are passed through to clients in the form in which the Worker sent them (``wire``); what is
decoded here is what validation needs. Nothing in here is ever evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.patterns import Traits

_NO_TRAITS = Traits()
_UNTYPED = ParameterType()


class ParameterKind(Enum):
    """The kind of a parameter (inspect.Parameter.kind)."""

    POSITIONAL_ONLY = 1
    POSITIONAL_OR_KEYWORD = 2
    VAR_POSITIONAL = 3
    KEYWORD_ONLY = 4
    VAR_KEYWORD = 5


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a plan."""

    name: str
    kind: ParameterKind
    required: bool
    type: ParameterType = _UNTYPED
    #: Bounds, inclusive, of every number in the argument.
    minimum: float | None = None
    maximum: float | None = None
    #: A text in it that names a device becomes that device, at least somewhere.
    takes_device_names: bool = False
    #: A default that is a number: it may be given whatever the bounds are, as it may be left out.
    default: float | None = None


@dataclass(frozen=True)
class Plan:
    """A plan: its parameters in order, and its whole description as the Worker sent it."""

    name: str
    parameters: tuple[Parameter, ...]
    wire: bytes = b""

    # What follows from the parameters, computed once, because every submitted item needs it.

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """Parameters by name."""
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def by_position(self) -> tuple[Parameter, ...]:
        """Parameters that a positional argument can be for, in order."""
        kinds = (ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD)
        return tuple(parameter for parameter in self.parameters if parameter.kind in kinds)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the parameters without a default."""
        return tuple(parameter.name for parameter in self.parameters if parameter.required)

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """Names of the parameters in which a text may be the name of a device or any other text."""
        return frozenset(p.name for p in self.parameters if p.takes_device_names and _takes_any_text(p.type))

    def catch_all(self, kind: ParameterKind) -> Parameter | None:
        """The ``*args`` or ``**kwargs`` parameter, if there is one."""
        return self._catch_alls.get(kind)

    @cached_property
    def _catch_alls(self) -> Mapping[ParameterKind, Parameter]:
        kinds = (ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD)
        return {parameter.kind: parameter for parameter in self.parameters if parameter.kind in kinds}


def _takes_any_text(expected: ParameterType) -> bool:
    parts = (*expected.arguments, *(field.type for field in expected.fields))
    return expected.kind in _TEXTS or any(map(_takes_any_text, parts))


_TEXTS = frozenset({TypeKind.UNSPECIFIED, TypeKind.ANY, TypeKind.STRING, TypeKind.ENUM, TypeKind.CALLABLE})


@dataclass(frozen=True, slots=True)
class Device:
    """A device or component: components by name, and its whole description as the Worker sent it."""

    name: str
    components: Mapping[str, Device] = field(default_factory=dict)
    wire: bytes = b""
    traits: Traits = _NO_TRAITS
    #: Classes that plans ask for and that it has.
    instance_of: frozenset[str] = frozenset()

    def suits(self, expected: ParameterType) -> bool:
        """Whether it has the class that a type asks for, and can be moved if it must be.

        Plans ask for readable and flyable devices where they mean any device, bluesky's own among them.
        """
        if expected.device_class and expected.device_class not in self.instance_of:
            return False
        return expected.device_protocol != "Movable" or self.traits.is_movable


@dataclass(frozen=True, slots=True)
class Inventory:
    """All plans and devices, by name in alphabetical order."""

    plans: Mapping[str, Plan] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    #: The whole of it as the Worker sent it, for storage.
    wire: bytes = b""
    #: What was left out of them, each as the Worker sent it.
    issues: tuple[bytes, ...] = ()
    #: Functions that tasks can call, by name in alphabetical order, each as the Worker sent it.
    functions: Mapping[str, bytes] = field(default_factory=dict)
    #: Why something that looks like a plan is none, in one sentence, by name.
    no_plans: Mapping[str, str] = field(default_factory=dict)
    #: Names that an item's metadata can't have.
    reserved_metadata: frozenset[str] = frozenset()

    def find_device(self, dotted_name: str) -> Device | None:
        """The device or component that a name such as ``bundle.motors.x`` leads to."""
        first, *rest = dotted_name.split(".")
        node = self.devices.get(first)
        for part in rest:
            node = node.components.get(part) if node else None
        return node
