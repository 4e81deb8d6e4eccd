"""Bounds and units in type hints become those of the parameter, where they are true of all its numbers."""

# mypy: disable-error-code="misc, type-arg, untyped-decorator"

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType

import numpy as np
import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt, MultipleOf, Unit
from bluesky.protocols import Readable
from pydantic import Field
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.user_api.annotation_decorator import parameter_annotation_decorator
from queueserver_inventory.descriptions import ParameterDescription

from tests.unit.common.inventory.type_notation import shown
from tests.unit.environment.hints import of_union

#: The whole number after it is not a float.
LARGE = 2**53
Positive = Annotated[float, Ge(0)]
Width = NewType("Width", Positive)  # type: ignore[valid-newtype] # people write it


class Hostile:
    """Metadata that is meant for somebody else."""

    __hash__ = None  # type: ignore[assignment] # some metadata has none

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError


def described(plan: Callable[..., Any]) -> list[ParameterDescription]:
    inventory = take_inventory({"plan": plan})
    assert not inventory.issues
    return list(inventory.plans[0].parameters)


def limits(parameter: ParameterDescription) -> dict[str, Any]:
    keys = {"minimum": "min", "maximum": "max", "step": "step"}
    found: dict[str, Any] = {
        key: getattr(parameter, field) for field, key in keys.items() if getattr(parameter, field) is not None
    }
    return found | ({"unit": parameter.unit} if parameter.unit else {})


def of_hint(hint: Any) -> dict[str, Any]:
    def plan(a: Any) -> Iterator[Any]:
        yield a

    plan.__annotations__ = {"a": hint}
    (parameter,) = described(plan)
    return limits(parameter)


@pytest.mark.parametrize(
    ("hint", "wanted"),
    [
        (Annotated[float, Ge(-1), Le(5.5), Unit("mm")], {"min": -1, "max": 5.5, "unit": "mm"}),
        (Annotated[float, Field(ge=0, le=10, multiple_of=0.5)], {"min": 0, "max": 10, "step": 0.5}),
        (Annotated[float, Interval(ge=0, le=1), MultipleOf(0.1)], {"min": 0, "max": 1, "step": 0.1}),
        (Annotated[float, Ge(0), Ge(np.int64(2)), Gt(1)], {"min": 2}),
        (Annotated[float, Gt(0), Lt(1)], {"min": math.nextafter(0, 1), "max": math.nextafter(1, 0)}),
        (Annotated[int, Gt(0), Lt(10)], {"min": 1, "max": 9}),
        (Annotated[int, Gt(0.5), Lt(9.5)], {"min": 1, "max": 9}),
        (Annotated[float, Ge(-LARGE), Lt(LARGE)], {"min": -LARGE, "max": LARGE - 1}),
        (Annotated[int, Ge(5), Gt(LARGE), Le(9 * LARGE)], {"min": 5, "max": 9 * LARGE}),
        (Annotated[int, Gt(LARGE + 2), Lt(-LARGE)], {}),
        (Annotated[int, Gt(-LARGE), Lt(LARGE)], {"min": 1 - LARGE, "max": LARGE - 1}),
        (Positive | None, {"min": 0}),
        (Width, {"min": 0}),
        (typing.List[Positive], {"min": 0}),  # noqa: UP006 - users write it
        (Mapping[str, Sequence[Positive]], {"min": 0}),
        (tuple[Positive, ...], {"min": 0}),
        (tuple[Positive, str], {"min": 0}),
        (Readable | Positive, {"min": 0}),
        (Positive | Annotated[int, Ge(0), Le(5)], {"min": 0}),
        (Annotated[Literal[1, 2], Unit("s")], {"unit": "s"}),
        (Annotated[list[float], Unit("s"), Ge(3), Len(2)], {"unit": "s"}),
    ],
)
def test_what_holds_for_all_numbers_of_a_hint_is_in_the_description(hint: Any, wanted: dict[str, Any]) -> None:
    assert of_hint(hint) == wanted


@pytest.mark.parametrize(
    "hint",
    [
        tuple[Positive, int],
        Positive | list[float],
        Positive | list,
        Positive | Any,
        dict[str, Any] | Positive,
        Annotated["NoSuchClass", Ge(0)],  # type: ignore[name-defined] # noqa: F821 - known to type checkers only
        list[Annotated["NoSuchClass", Ge(0)]],  # type: ignore[name-defined] # noqa: F821 - as well
        Annotated[str, Len(3)],
        Annotated[float, "mm", 5, None, Hostile()],
        Annotated[float, Ge(math.inf), Le(math.nan), Ge(True)],
        Annotated[float, Gt(LARGE + 1), Le(np.int64(LARGE + 3)), MultipleOf(LARGE + 1)],
        Annotated[int, Ge(LARGE + 1), Lt(np.uint64(LARGE + 1))],
        Annotated[float, Ge(10**400), Le(-(10**400))],
        Annotated[float, Ge("a")],  # type: ignore[arg-type] # careless
    ],
)
def test_what_holds_for_some_numbers_or_is_no_number_is_left_out(hint: Any) -> None:
    assert of_hint(hint) == {}


def test_the_type_and_its_text_are_those_without_the_bounds() -> None:
    def plan(a: list[Positive], b: Positive | None, c: Annotated[float, Hostile()]) -> Iterator[Any]:
        yield a, b, c

    plan.__annotations__ = {"a": list[Positive], "b": Positive | None, "c": list[Annotated[float, Hostile()]]}
    found = [(shown(parameter.type), parameter.annotation) for parameter in described(plan)]
    assert found == [
        ("list(number)", "list[float]"),
        ("number | none", of_union("typing.Optional[float]", "float | None")),
        ("list(number)", "list[float]"),
    ]


def test_the_decorator_goes_before_the_hint() -> None:
    said = {"a": {"max": 3, "unit": "mm"}, "b": {"annotation": "float"}}

    @parameter_annotation_decorator({"parameters": said})
    def plan(a: Annotated[float, Interval(ge=0, le=9), Unit("m")], b: Positive) -> Iterator[Any]:
        yield a, b

    # What stands in the file as text is evaluated with the names of the file.
    assert [limits(parameter) for parameter in described(plan)] == [{"min": 0, "max": 3, "unit": "mm"}, {}]
