"""Which plans and functions a name or pattern selects, and which regular expressions are accepted at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_inventory.patterns import PatternError, device_pattern, name_pattern

PLANS = ["count", "scan", "rel_scan", "adaptive_scan", "_private"]


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "count": "count",
        " co unt ": "count",
        ":.*": "count scan rel_scan adaptive_scan _private",
        ":^scan$": "scan",
        ":_scan$": "rel_scan adaptive_scan",
        ":+_scan$": "rel_scan adaptive_scan",
        ":-_scan$": "rel_scan adaptive_scan",
        ":?_scan$": "rel_scan adaptive_scan",
        ":^(count|scan)$": "count scan",
        "nope": "",
    }.items(),
)
def test_a_pattern_selects_names(text: str, expected: str) -> None:
    pattern = name_pattern(text)

    assert [name for name in PLANS if pattern.selects(name)] == expected.split()


def test_permissions_tolerate_a_depth_that_lists_of_plans_do_not() -> None:
    assert name_pattern(":?.*:depth=5", depth_tolerated=True).selects("count")
    with pytest.raises(PatternError, match="leave out the depth"):
        name_pattern(":?.*:depth=5")


@pytest.mark.parametrize(
    ("text", "reason"),
    {
        "": "The name is empty",
        "1count": "'1count' is not a name",
        "stage.scan": "'stage.scan' is not a name",
        "scan*": "a pattern has ':'",
        ":": "a part between colons is empty",
        ":a:b": "write one part only",
        ":a:?b": "write one part only",
        ":.*:depth=5": "write one part only",
        ":?a:depth=0": "at least 1",
        ":[a": "a [ has no ]",
        "__READABLE__:.*": "plans and functions have no kinds",
    }.items(),
)
def test_what_is_no_pattern_is_refused_with_one_sentence(text: str, reason: str) -> None:
    with pytest.raises(PatternError, match=re.escape(reason)) as refusal:
        name_pattern(text, depth_tolerated=True)

    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    "expression",
    [
        "(a+)+b",
        "(a*)*b",
        "(a|a)*b",
        "((ab?)c)+",
        "(.{1,9}){2,9}x",
        "(a+){20}",
        "(a|b){2,}",
        "(?P<n>a+)*",
        "([a-z]+_)*x",
    ],
)
def test_an_expression_that_may_take_for_ever_is_refused(expression: str) -> None:
    with pytest.raises(PatternError, match="can take very long"):
        device_pattern(":" + expression)


def test_an_expression_with_very_many_repetitions_is_refused() -> None:
    assert device_pattern(":" + "a*" * 8)
    with pytest.raises(PatternError, match="more than 8 repetitions"):
        device_pattern(":" + "a*" * 9)


@pytest.mark.parametrize(
    "expression",
    ["(a|b)", "(a+)?", "(a+|b)$", "([a-z_]{3})+", "[)+(]*x", r"(\+\))*", "(ab)+c+", "(?i)DET", "[]a-]+", "(a?){1}"],
)
def test_an_ordinary_expression_is_accepted(expression: str) -> None:
    assert device_pattern(":" + expression)


@pytest.mark.parametrize(
    "text", [":a(?i)b", ":[[a]", ":[a--b]", ":[a", ":" + "(" * 400 + ")" * 400, ":a{99999999999}", ":a++", ":(?>a)"]
)
def test_an_expression_that_some_versions_of_python_refuse_is_refused_by_all(text: str) -> None:
    with pytest.raises(PatternError, match="can't be used"):
        device_pattern(text)


TEXTS = st.text(alphabet="ab1_.:?+-*|()[]{}^$\\=<!,depthPi2 ", max_size=30) | st.text(max_size=30)


@given(TEXTS)
def test_any_text_is_a_pattern_or_refused_in_words(text: str) -> None:
    for read in (device_pattern, name_pattern):
        try:
            pattern = read(text)
        except PatternError as error:
            assert str(error).endswith(".")  # noqa: PT017 - most texts are refused, and each refusal is looked at
        else:
            assert pattern.is_name == (":" not in text)
