"""Plans, devices and what else an environment offers: the contract's Inventory as plain Python.

Names, kinds and numbers are those of the contract (inventory.proto), which says what each field means. Descriptions
never change, so what is described alike is one object wherever it occurs.
:mod:`queueserver_inventory.description_messages` makes messages of them and reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from queueserver_inventory.parameter_types import ParameterType

_UNTYPED: Final = ParameterType()


class ParameterKind(IntEnum):
    """How a parameter may be passed, in Python's terms (inspect.Parameter.kind)."""

    UNSPECIFIED = 0
    POSITIONAL_ONLY = 1
    POSITIONAL_OR_KEYWORD = 2
    VAR_POSITIONAL = 3
    KEYWORD_ONLY = 4
    VAR_KEYWORD = 5


class InventoryIssueKind(IntEnum):
    """What an issue is about."""

    UNSPECIFIED = 0
    PLAN = 1
    DEVICE = 2
    STARTUP_CODE = 3


@dataclass(frozen=True, slots=True)
class ParameterDescription:
    """One parameter of a plan."""

    name: str = ""
    kind: ParameterKind = ParameterKind.UNSPECIFIED
    type: ParameterType = _UNTYPED
    annotation: str = ""
    default_text: str | None = None
    description: str = ""
    default_in_decorator: bool = False
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    unit: str = ""
    convert_device_names: bool | None = None
    convert_plan_names: bool | None = None
    takes_device_names: bool = False
    unchecked: str = ""


@dataclass(frozen=True, slots=True)
class PlanDescription:
    """A plan of the namespace."""

    name: str = ""
    description: str = ""
    parameters: tuple[ParameterDescription, ...] = ()
    module: str = ""
    returns_generator: bool = False
    function_name: str = ""


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """A device of the namespace, or a component of one."""

    name: str = ""
    readable: bool = False
    movable: bool = False
    flyable: bool = False
    class_name: str = ""
    module: str = ""
    components: tuple[DeviceDescription, ...] = ()
    excluded: bool = False
    instance_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InventoryIssue:
    """Something in the startup code that was left out, and why."""

    name: str = ""
    message: str = ""
    kind: InventoryIssueKind = InventoryIssueKind.UNSPECIFIED
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Something callable that might be mistaken for a plan, and why it is none."""

    name: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class FunctionDescription:
    """A function that a task can call."""

    name: str = ""
    signature: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All plans and devices of an environment."""

    plans: tuple[PlanDescription, ...] = ()
    devices: tuple[DeviceDescription, ...] = ()
    issues: tuple[InventoryIssue, ...] = ()
    no_plans: tuple[NoPlan, ...] = ()
    reserved_metadata: tuple[str, ...] = ()
    functions: tuple[FunctionDescription, ...] = ()
