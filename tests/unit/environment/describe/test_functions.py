"""Which functions of a namespace are listed, and what is told of each."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from queueserver_environment.describe.functions import MAX_FUNCTIONS, MAX_TEXT, describe_functions
from queueserver_environment.describe.inventory import take_inventory


def settle(seconds: float = 1.0, *, mode: str = "fast") -> None:
    """Let it settle.

    More is said here.
    """


async def patient() -> None:
    """Wait."""


def numbers() -> Iterator[int]:
    yield 1


class Hostile:
    """Raises at everything that is asked of it."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise SystemExit(name)

    def __call__(self) -> None:
        """Look like a function."""


class Default:
    def __repr__(self) -> str:
        raise KeyboardInterrupt


def odd_default(value: Any = Default()) -> None:  # noqa: B008 - what users do
    pass


def listed(**callables: Any) -> list[str]:
    return [each.name for each in describe_functions(callables)]


def test_a_function_is_told_with_its_signature_and_the_first_line_of_its_docstring() -> None:
    (told,) = describe_functions({"settle": settle})
    assert told.name == "settle"
    assert told.signature == "(seconds: float = 1.0, *, mode: str = 'fast') -> None"
    assert told.description == "Let it settle."


def test_functions_are_listed_and_plans_classes_and_what_waits_are_not() -> None:
    partial = functools.partial(settle, 2)
    namespace = {"b": partial, "a": settle, "c": math.sin, "d": Default, "e": patient, "f": numbers}
    assert listed(**namespace) == ["a", "b", "c"]
    assert [each.name for each in take_inventory({"_hidden": settle, **namespace}).functions] == ["a", "b", "c"]


def test_what_can_not_be_described_is_listed_by_name_or_costs_itself_alone() -> None:
    told = describe_functions({"hostile": Hostile(), "odd": odd_default, "settle": settle})
    assert [each.name for each in told] == ["odd", "settle"]
    assert told[0].signature == ""


def test_the_list_is_bounded_and_loses_functions_of_pythons_own_modules_first() -> None:
    many = {f"f{number:04}": math.sin for number in range(MAX_FUNCTIONS)}
    names = listed(**many, zz=settle)
    assert len(names) == MAX_FUNCTIONS
    assert names[-1] == "zz"

    def long() -> None:
        pass

    long.__doc__ = "é" * 300
    (told,) = describe_functions({"long": long})
    assert len(told.description) == MAX_TEXT
