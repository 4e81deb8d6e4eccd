# Users write type hints in old forms too, and those must be understood.
# ruff: noqa: UP006, UP007, UP035, UP045, PYI061
# mypy: disable-error-code="type-arg"

import collections.abc
import dataclasses
import inspect
import pathlib
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Dict, List, Literal, NewType, Optional, Tuple, TypedDict, TypeVar, Union

import bluesky.protocols
import numpy as np
import pytest
from bluesky.protocols import Flyable, Locatable, Movable, NamedMovable, Readable, Stageable
from ophyd import Device, EpicsMotor
from ophyd_async.core import StandardReadable
from queueserver_environment.describe.types.annotations import resolve
from queueserver_environment.describe.types.hint_text import hint_text
from queueserver_environment.describe.types.hint_types import parameter_type
from queueserver_inventory.type_text import read_type, type_names

from tests.unit.common.inventory.type_notation import shown
from tests.unit.environment.hints import of_union
from tests.unit.environment.postponed_plans import postponed


class Mode(Enum):
    FAST = "fast"
    SLOW = "slow"


class Gain(Enum):
    LOW = 1


class Options(TypedDict):
    depth: int


@dataclasses.dataclass
class Window:
    width: float
    mark: str = "a"


@dataclasses.dataclass
class Stage(StandardReadable):
    steps: int


class Opaque:
    pass


class Lookalike:
    name = "x"

    def read(self) -> None: ...
    def describe(self) -> None: ...


OTHER_PROTOCOLS = (
    "Configurable",
    "Triggerable",
    "Locatable",
    "Stageable",
    "Pausable",
    "Stoppable",
    "Subscribable",
    "Checkable",
)
Energy = NewType("Energy", float)
AnyMotor = TypeVar("AnyMotor", bound=Movable)


@pytest.mark.parametrize(
    ("hint", "tree"),
    [
        (inspect.Parameter.empty, "unspecified"),
        (Any, "any"),
        (collections.abc.Hashable, "any"),
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (None, "none"),
        (pathlib.Path, "string/path"),
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
        (Options, "record(depth: integer)"),
        (Window, "record(width: number, mark?: string)"),
        (list[Window] | None, "list(record(width: number, mark?: string)) | none"),
        (Literal["a", "b"], "enum(a, b)"),
        (Literal["a", 1, None], "enum(a) | literal(1) | none"),
        (Mode, "enum Mode[fast, slow]"),
        (Gain, "enum Gain[LOW]"),
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
        (Device, "device:Readable of Device"),
        (EpicsMotor, "device:Movable of EpicsMotor"),
        (StandardReadable, "device:Readable of StandardReadable"),
        (Lookalike, "device:Readable of Lookalike"),
        (Stage, "device:Readable of Stage"),
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
    assert hints["price"] == "Sequence[Readable] | Decimal | None"


def test_of_a_hint_that_cant_be_evaluated_what_is_known_without_its_names_is_kept() -> None:
    assert shown(parameter_type("Sequence[Readable] | Decimal | None")) == "list(device:Readable) | unspecified | none"
    assert shown(parameter_type("no type at all")) == "unspecified"
    assert shown(parameter_type(resolve(Dict[str, "Readable"], {}))) == "map(device:Readable)"


@pytest.mark.parametrize("hint", [List["Readable"], list["Readable"], Annotated[list["Readable"], 5]])
def test_a_forward_reference_inside_a_hint_is_evaluated(hint: Any) -> None:
    assert shown(parameter_type(resolve(hint, {"Readable": Readable}))) == "list(device:Readable)"


@pytest.mark.parametrize("hint", [Optional[Dict[str, List[Readable]]], list[Literal["Readable"]] | None])
def test_a_hint_without_text_in_it_is_looked_through_once_and_never_evaluated(hint: Any) -> None:
    calls: list[str] = []
    resolve(hint, {})
    sys.setprofile(lambda frame, event, _argument: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        resolved = resolve(hint, {})
    finally:
        sys.setprofile(None)
    assert resolved is hint
    assert len(calls) < 10


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (inspect.Parameter.empty, ""),
        (int, "int"),
        (tuple, "tuple"),
        (dict, "dict"),
        (Optional[int], of_union("typing.Optional[int]", "int | None")),
        (int | None, "int | None"),
        (Union[int, str], of_union("typing.Union[int, str]", "int | str")),
        (Union[int, str, None], of_union("typing.Union[int, str, NoneType]", "int | str | None")),
        (List[int], "typing.List[int]"),
        (list[int], "list[int]"),
        (Literal["a", "b"], "typing.Literal['a', 'b']"),
        (Dict[str, Any], "typing.Dict[str, typing.Any]"),
        (Any, "typing.Any"),
        (Readable, "__READABLE__"),
        (Readable[float], "__READABLE__"),
        (Movable, "__MOVABLE__"),
        (NamedMovable, "__MOVABLE__"),
        (Flyable, "__FLYABLE__"),
        *((getattr(bluesky.protocols, name), "__DEVICE__") for name in OTHER_PROTOCOLS),
        (List[Readable], "typing.List[__READABLE__]"),
        (
            Union[Readable, List[Readable]],
            of_union(
                "typing.Union[__READABLE__, typing.List[__READABLE__]]", "__READABLE__ | typing.List[__READABLE__]"
            ),
        ),
        (Sequence[Readable], "collections.abc.Sequence[__READABLE__]"),
        (typing.Sequence[Readable], "typing.Sequence[__READABLE__]"),
        (typing.Callable[[int], str], "__CALLABLE__"),
        (typing.Callable, "__CALLABLE__"),
        (Callable[[int], str], "__CALLABLE__"),
        (collections.abc.Callable, "__CALLABLE__"),
        (collections.abc.Iterable, "collections.abc.Iterable[typing.Any]"),
        (Mode, "Mode"),
        (Tuple[int, ...], "typing.Tuple[int, ...]"),
        (tuple[()], "tuple[()]"),
        (Callable[[int], str] | Callable[[], str] | None, "__CALLABLE__ | None"),
        (Union[Callable[[int], str], Callable[[], str]], "__CALLABLE__"),
        (
            Optional[collections.abc.Hashable],
            of_union("typing.Optional[collections.abc.Hashable]", "collections.abc.Hashable | None"),
        ),
        (np.ndarray, "numpy.ndarray"),
        (Annotated[int, "unit"], "int"),
    ],
)
def test_the_text_of_a_hint_is_that_of_the_reference_and_reads_as_the_same_type(hint: Any, text: str) -> None:
    assert hint_text(hint) == text
    tree = parameter_type(hint)
    if text:
        assert read_type(text, type_names(tree)) == tree


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        ("Sequence[Readable] | Decimal", "Sequence[__READABLE__] | Decimal"),
        (Dict[str, "Readable"], "typing.Dict[str, __READABLE__]"),
        (Opaque | str, f"{__name__}.Opaque | str"),
        (Window, f"{__name__}.Window"),
        (EpicsMotor, "__MOVABLE__"),
    ],
)
def test_the_text_of_a_hint_that_has_no_tree_is_shown_as_well(hint: Any, text: str) -> None:
    assert hint_text(hint) == text
