"""Hints with names that exist for type checkers only: postponed before Python 3.14, and as they are from then on."""

import sys
from typing import Any

import pytest
from queueserver_environment.describe.functions import describe_functions
from queueserver_environment.describe.plan_reading import read_plan
from queueserver_environment.describe.plan_recognition import is_plan
from queueserver_environment.describe.types.hint_types import parameter_type
from queueserver_environment.user_api.annotation_decorator import parameter_annotation_decorator
from queueserver_inventory.parameter_types import TypeKind

_POSTPONED = "from __future__ import annotations\n" if sys.version_info < (3, 14) else ""
_SOURCE = """
from typing import TypedDict
from bluesky import plan_stubs

def declared(num: int, price: Decimal, many: list[Decimal]) -> MsgGenerator[None]:
    return plan_stubs.sleep(num)

def function(price: Decimal, num: int) -> Decimal: ...

class Scan(TypedDict):
    num: int
    price: Decimal
"""


@pytest.fixture(scope="module")
def namespace() -> dict[str, Any]:
    """Give the names of a module of a user's."""
    names: dict[str, Any] = {"__name__": "startup"}
    exec(compile(_POSTPONED + _SOURCE, "startup.py", "exec", dont_inherit=True), names)  # noqa: S102 - it is not valid in older Pythons
    return names


def test_a_plan_that_declares_its_messages_by_such_a_name_is_recognized(namespace: dict[str, Any]) -> None:
    assert is_plan(namespace["declared"])


@pytest.mark.parametrize("is_decorated", [False, True])
def test_such_a_name_costs_only_its_own_parameter(namespace: dict[str, Any], *, is_decorated: bool) -> None:
    plan = namespace["declared"]
    plan = parameter_annotation_decorator({"parameters": {"num": {"min": 1}}})(plan) if is_decorated else plan
    read = read_plan(plan).parameters
    assert read["num"].takes.type.kind is TypeKind.INTEGER
    assert [read[name].takes.text for name in ("price", "many")] == ["Decimal", "list[Decimal]"]


def test_such_a_name_costs_only_its_own_field(namespace: dict[str, Any]) -> None:
    fields = {each.name: each.type.kind for each in parameter_type(namespace["Scan"]).fields}
    assert fields == {"num": TypeKind.INTEGER, "price": TypeKind.UNSPECIFIED}


def test_the_signature_of_a_function_shows_such_a_name(namespace: dict[str, Any]) -> None:
    (described,) = describe_functions({"function": namespace["function"]})
    assert described.signature == "(price: Decimal, num: int) -> Decimal"
