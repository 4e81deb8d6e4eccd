"""Regular expressions of patterns, of which there may be thousands."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_inventory.access import Access, GroupRules, permitted_name_pattern
from queueserver_inventory.patterns import device_pattern
from queueserver_inventory.regular_expressions import ExpressionError, compile_expression

PIECES = st.sampled_from(["^", "$", ".*", ".*", "a", "b", "ab", "_1", ".", "é"])
TEXTS = st.text(alphabet="ab_1é.\n", max_size=6)


@given(st.lists(PIECES, min_size=1, max_size=4).map("".join), TEXTS)
def test_an_expression_finds_what_python_finds(expression: str, text: str) -> None:
    found = bool(compile_expression(expression)(text))
    assert found == (re.search(expression, text) is not None)


@pytest.mark.parametrize("text", ["", "ab", "xab", "abx", "xabx", "ab\n", "x\nab", "a", "\n"])
@pytest.mark.parametrize(
    "expression", ["ab", "^ab", "ab$", "^ab$", "^$", "$", "^", ".*", "^.*$", ".*ab", "^ab.*", "ab.*$"]
)
def test_plain_expressions_find_what_python_finds(expression: str, text: str) -> None:
    assert bool(compile_expression(expression)(text)) == (re.search(expression, text) is not None)


@pytest.mark.parametrize("expression", ["[]", "[]--", "[^]&&", "[^]", "[]a"])
def test_a_set_without_an_end_is_refused_before_python_warns_of_it(expression: str) -> None:
    with pytest.raises(ExpressionError, match="no ]"):
        compile_expression(expression)
    assert compile_expression("[]a]")("]")


def calls_of(make: Callable[[], object]) -> int:
    """How many calls of functions in Python it takes: what takes time, as far as it is the same on each machine."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        make()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", [":^unread_{}", ":unread_{}$", ":^unread_{}$", ":^unread_{}.*"])
def test_a_thousand_plain_patterns_are_read_without_compiling_them(shape: str) -> None:
    assert calls_of(lambda: [permitted_name_pattern(shape.format(i)) for i in range(1000)]) < 15_000
    assert calls_of(lambda: [device_pattern(shape.format(i)) for i in range(1000)]) < 15_000


def test_patterns_that_were_checked_are_not_compiled_again_for_each_group() -> None:
    texts = tuple(f":^(a|b)_{i}[0-9]+$" for i in range(1000))
    for text in texts:
        permitted_name_pattern(text)
        device_pattern(text)
    rules = GroupRules(allowed_plans=texts, forbidden_plans=texts, allowed_devices=texts, allowed_functions=texts)
    assert calls_of(lambda: Access("visitors", rules, rules)) < 40_000
