# Users write type hints in old forms too, and those must be understood.
# ruff: noqa: UP006, UP007, UP035, UP045, PYI061
# mypy: disable-error-code="type-arg"

import collections.abc
import inspect
import pathlib
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Dict, List, Literal, NewType, Optional, Tuple, TypedDict, TypeVar, Union

import numpy as np
import pytest
from bluesky.protocols import Flyable, Locatable, Movable, NamedMovable, Readable, Stageable
from ophyd import Device, EpicsMotor
from ophyd_async.core import StandardReadable
from queueserver.common.v1.inventory_pb2 import ParameterType
from queueserver_worker.environment.describe.annotations import annotation_text, parameter_type, resolve

from tests.unit.worker_environment.postponed_plans import postponed


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


class Gain(Enum):
    LOW = 1


class Options(TypedDict):
    depth: int


class Opaque:
    pass


class Lookalike:
    name = "x"

    def read(self) -> None: ...
    def describe(self) -> None: ...


Energy = NewType("Energy", float)
AnyMotor = TypeVar("AnyMotor", bound=Movable)


def shown(tree: ParameterType) -> str:
    """Write a tree in short: list(device:Readable) | none."""
    name = ParameterType.Kind.Name(tree.kind).removeprefix("KIND_").lower()
    if tree.kind == ParameterType.KIND_UNION:
        return " | ".join(map(shown, tree.arguments))
    parts = [*map(shown, tree.arguments), *tree.choices]
    inside = f"({', '.join(parts)})" if parts else ""
    return name + (f":{tree.device_protocol}" if tree.device_protocol else "") + inside


@pytest.mark.parametrize(
    ("hint", "tree"),
    [
        (inspect.Parameter.empty, "unspecified"),
        (Any, "any"),
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (None, "none"),
        (pathlib.Path, "string"),
        (Energy, "number"),
        (Annotated[int, "unit"], "integer"),
        (Optional[int], "integer | none"),
        (int | str | None, "integer | string | none"),
        (Union[int, str, None], "integer | string | none"),
        (list, "list"),
        (List[int], "list(integer)"),
        (Sequence[Iterable[float]], "list(list(number))"),
        (set[str], "list(string)"),
        (tuple, "list"),
        (tuple[float, ...], "list(number)"),
        (Tuple[int, str], "tuple(integer, string)"),
        (np.ndarray, "list"),
        (dict, "map"),
        (Dict[str, Any], "map(any)"),
        (Mapping[str, list[int]], "map(list(integer))"),
        (Options, "map"),
        (Literal["a", "b"], "enum(a, b)"),
        (Literal["a", 1, None], "enum(a) | integer | none"),
        (Mode, "enum(fast, slow)"),
        (Gain, "enum(LOW)"),
        (Callable[[int], str], "callable"),
        (collections.abc.Callable, "callable"),
        (typing.Callable, "callable"),
        (Opaque, "unspecified"),
        (Opaque | str, "unspecified | string"),
        (type[int], "unspecified"),
    ],
)
def test_hints_become_trees(hint: Any, tree: str) -> None:
    assert shown(parameter_type(hint)) == tree


@pytest.mark.parametrize(
    ("hint", "tree"),
    [
        (Readable, "device:Readable"),
        (Readable[float], "device:Readable"),
        (Movable, "device:Movable"),
        (NamedMovable, "device:Movable"),
        (Flyable, "device:Flyable"),
        (Stageable, "device"),
        (Locatable, "device"),
        (AnyMotor, "device:Movable"),
        (Sequence[Readable], "list(device:Readable)"),
        (Union[Movable, Any], "device:Movable | any"),
        (list[tuple[Movable, float]], "list(tuple(device:Movable, number))"),
        (dict[str, Readable | None], "map(device:Readable | none)"),
        (Device, "device:Readable"),
        (EpicsMotor, "device:Movable"),
        (StandardReadable, "device:Readable"),
        (Lookalike, "device:Readable"),
    ],
)
def test_protocols_and_device_classes_become_devices(hint: Any, tree: str) -> None:
    assert shown(parameter_type(hint)) == tree


def test_a_recursive_hint_ends() -> None:
    nested: Any = int
    for _ in range(100):
        nested = list[nested]
    assert shown(parameter_type(nested)).startswith("list(list(")


def test_postponed_hints_are_evaluated_with_the_functions_own_globals() -> None:
    hints = {
        name: resolve(parameter.annotation, postponed.__globals__)
        for name, parameter in inspect.signature(postponed).parameters.items()
    }
    assert shown(parameter_type(hints["detectors"])) == "list(device:Readable)"
    assert shown(parameter_type(hints["num"])) == "integer | none"
    assert hints["price"] == "Decimal | None"
    assert shown(parameter_type(hints["price"])) == "unspecified"


def test_a_forward_reference_inside_a_hint_is_evaluated() -> None:
    hint = resolve(List["Readable"], {"Readable": Readable})
    assert shown(parameter_type(hint)) == "list(device:Readable)"


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (inspect.Parameter.empty, ""),
        (Optional[int], "Optional[int]"),
        (Sequence[Readable], "collections.abc.Sequence[__READABLE__]"),
        (Union[Movable, Stageable], "Union[__MOVABLE__, __DEVICE__]"),
        (Flyable, "__FLYABLE__"),
        ("list[Readable]", "list[__READABLE__]"),
    ],
)
def test_the_text_for_people_names_protocols_as_the_old_server_did(annotation: Any, text: str) -> None:
    assert annotation_text(annotation).replace("typing.", "") == text
