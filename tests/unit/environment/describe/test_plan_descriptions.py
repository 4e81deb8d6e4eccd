# What is described here is written as users write it: on ophyd, which has no types, and without type arguments.
# mypy: disable-error-code="misc, type-arg, untyped-decorator"

import ast
import functools
import math
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import numpy as np
import pytest
from bluesky.utils import plan
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.describe.plan_recognition import is_plan
from queueserver_environment.describe.types.literals import default_text, is_literal
from queueserver_inventory.descriptions import InventoryIssueKind

from tests.unit.environment.documented import take_documented


class Mode(Enum):
    FAST = "fast"


class Gain(Enum):
    LOW = 1


def everything(a: int, /, b: float, c: str = "x", *rest: Any, d: bool = True, **more: Any) -> Iterator[Any]:
    """Do everything
    at once.

    More about it.

    Parameters
    ----------
    a, b : number
        Two numbers,
        both needed.
    *rest
        The rest.
    d : bool
        A switch.
    """
    yield from (a, b, c, rest, d, more)


@plan
def marked(detector: Any) -> Iterator[Any]:
    yield detector


def no_plan() -> None:
    pass


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


def odd_defaults(a: float = math.inf, b: object = Unprintable(), c: Callable[..., Any] = no_plan) -> Iterator[Any]:
    yield from (a, b, c)


def unsigned() -> Iterator[Any]:
    yield


unsigned.__signature__ = "no signature"  # type: ignore[attr-defined] # what a careless decorator may leave


def test_parameters_keep_order_kind_default_and_documentation() -> None:
    (described,) = take_documented({"everything": everything}).plans
    assert (described.name, described.description) == ("everything", "Do everything at once.")
    assert described.returns_generator
    kinds = {item.name: item.kind.name for item in described.parameters}
    assert kinds == {
        "a": "POSITIONAL_ONLY",
        "b": "POSITIONAL_OR_KEYWORD",
        "c": "POSITIONAL_OR_KEYWORD",
        "rest": "VAR_POSITIONAL",
        "d": "KEYWORD_ONLY",
        "more": "VAR_KEYWORD",
    }
    defaults = {item.name: item.default_text for item in described.parameters if item.default_text is not None}
    assert defaults == {"c": "'x'", "d": "True"}
    texts = {item.name: item.description for item in described.parameters if item.description}
    both = "Two numbers,\nboth needed."
    assert texts == {"a": both, "b": both, "rest": "The rest.", "d": "A switch."}


def test_generator_functions_and_marked_functions_are_plans_and_nothing_else() -> None:
    assert is_plan(everything)
    assert is_plan(marked)
    assert is_plan(functools.partial(everything, 1))
    assert not any(map(is_plan, (no_plan, Unprintable, Unprintable(), 5, None, (x for x in "ab"))))


def test_a_marked_plan_is_described_with_its_own_signature() -> None:
    (described,) = take_inventory({"alias": marked}).plans
    assert (described.name, described.returns_generator) == ("alias", False)
    assert [parameter.name for parameter in described.parameters] == ["detector"]


def test_a_default_that_is_no_literal_does_not_hide_the_plan() -> None:
    inventory = take_inventory({"odd": odd_defaults})
    texts = [parameter.default_text for parameter in inventory.plans[0].parameters]
    assert texts[:2] == ["inf", "<Unprintable>"]
    assert texts[2].startswith("<function no_plan")


def test_a_plan_that_cant_be_described_is_left_out_and_told_about() -> None:
    inventory = take_inventory({"bad": unsigned, "good": everything})
    assert [described.name for described in inventory.plans] == ["good"]
    (issue,) = inventory.issues
    assert (issue.name, issue.kind) == ("bad", InventoryIssueKind.PLAN)
    assert (issue.file, issue.line) == (__file__, unsigned.__code__.co_firstlineno)
    assert "left out" in issue.message


def test_an_alias_has_the_functions_own_name_beside_its_own() -> None:
    (described,) = take_inventory({"alias": everything}).plans
    assert (described.name, described.function_name, described.module) == ("alias", "everything", __name__)


@pytest.mark.parametrize("value", [1, -1.5, "a", b"a", True, None, 2j, [1, ["a"]], (1,), {"a": {1}}, set()])
def test_a_literal_default_is_shown_as_one(value: Any) -> None:
    assert is_literal(value)
    assert ast.literal_eval(default_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.inf, "inf"),
        (np.float64(1.5), "np.float64(1.5)"),
        ([math.nan], "[nan]"),
        (Mode.FAST, "'fast'"),
        (Gain.LOW, "'LOW'"),
        (print, "<built-in function print>"),
        ("x" * 50_000, None),
    ],
)
def test_any_other_default_is_shown_in_bounded_length(value: Any, text: str | None) -> None:
    assert len(default_text(value)) < 11_000
    if text is not None:
        assert not is_literal(value)
        assert default_text(value) == text


def test_plans_are_listed_by_name_also_those_with_a_leading_underscore() -> None:
    inventory = take_inventory({"b": everything, "_a": everything, "A": everything})
    assert [described.name for described in inventory.plans] == ["A", "_a", "b"]
