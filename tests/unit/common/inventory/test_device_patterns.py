"""Which devices a name or pattern selects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_inventory.patterns import PatternError, Traits, device_pattern

from tests.unit.common.inventory.device_tree import DETECTOR, FLYER, MOTOR, TREE, Node, Written, nodes

EVERYTHING = " ".join(".".join(path) for path, _ in nodes(TREE))

# Every row of the table in the documentation of patterns, with its result on the same tree.
TABLE = {
    "det1": "det1",
    ":det": "det1 det2",
    ":^det": "det1 det2",
    ":^stage": "stage stage2",
    ":^stage$:.*": "stage stage.mtrs stage.det",
    ":^stage$:^mtrs$:^x$": "stage stage.mtrs stage.mtrs.x",
    ":-^stage$:^mtrs$:^x$": "stage.mtrs stage.mtrs.x",
    ":-^stage$:-^mtrs$:-^x$": "stage.mtrs.x",
    ":?.*": EVERYTHING,
    ":?.*:depth=1": "stage stage2 det1 det2 motor fly",
    ":?.*:depth=2": ("stage stage.mtrs stage.det stage2 stage2.det det1 det1.val det2 motor motor.val fly"),
    ":?.*val$": "stage.mtrs.x.val stage.det.val stage2.det.val det1.val motor.val",
    ":?^stage.*val$": "stage.mtrs.x.val stage.det.val stage2.det.val",
    ":^stage$:?.*": "stage stage.mtrs stage.mtrs.x stage.mtrs.x.val stage.mtrs.y stage.det stage.det.val",
    ":^stage$:?.*:depth=1": "stage stage.mtrs stage.det",
    ":^stage$:?.*val$:depth=2": "stage stage.det.val",
    ":-^stage$:?val$": "stage.mtrs.x.val stage.det.val",
    "__MOTOR__:.*": "motor",
    "__MOTOR__:?.*": "stage.mtrs.x stage.mtrs.y motor",
    "__DETECTOR__:.*": "stage stage2 det1 det2",
    "__FLYABLE__:.*": "fly",
    # and what the text says without a row
    "stage.mtrs.x": "stage.mtrs.x",
    ":+^stage$:+^det$": "stage stage.det",
    " : ^ stage $ : ? .* : depth = 1 ": "stage stage.mtrs stage.det",
    " stage . det ": "stage.det",
    ":^stage$:depth=1": "stage",
    "__READABLE__:-^stage$:-.*:x": "stage.mtrs.x",
    "__MOTOR__:^stage$:?x": "stage.mtrs.x",
}


def selected(text: str) -> set[str]:
    pattern = device_pattern(text)
    return {".".join(path) for path, traits in nodes(TREE) if pattern.selects(path, traits)}


@pytest.mark.parametrize(("text", "expected"), TABLE.items())
def test_a_pattern_selects_what_the_table_says(text: str, expected: str) -> None:
    assert selected(text) == set(expected.split())


def test_a_name_selects_itself_even_if_no_such_device_exists() -> None:
    pattern = device_pattern(" no pe ")

    assert pattern.is_name
    assert pattern.text == "nope"
    assert pattern.selects(["nope"], Traits())
    assert selected("nope") == set()


def test_a_pattern_is_no_name_and_selects_nothing_at_an_empty_path() -> None:
    pattern = device_pattern(":?.*")

    assert not pattern.is_name
    assert not pattern.selects([], MOTOR)


def test_components_of_a_name_may_begin_with_a_digit_as_in_device_vectors() -> None:
    assert device_pattern("channels.1.gain").selects(["channels", "1", "gain"], DETECTOR)


WRONG = {
    "": "The name is empty",
    "   ": "The name is empty",
    "1det": "'1det' is not a name",
    "det-1": "a pattern has ':', as in ':^det'",
    "det*": "'det*' is not a name",
    ".det": "'.det' is not a name",
    "det.": "'det.' is not a name",
    "stage..x": "'stage..x' is not a name",
    ":": "a part between colons is empty",
    ":^a::^b": "a part between colons is empty",
    ":^a:": "a part between colons is empty",
    ":+": "a part between colons is empty",
    ":-:x": "a part between colons is empty",
    ":?": "a part between colons is empty",
    ":(a": "the regular expression '(a' can't be used: missing )",
    ":a)": "the regular expression 'a)' can't be used: unbalanced parenthesis",
    ":*a": "nothing to repeat",
    ":+?a": "nothing to repeat",
    ":-?a": "nothing to repeat",
    ":?+a": "nothing to repeat",
    "__MOTORS__:.*": "'__MOTORS__' before the first ':' is not a kind of device, those are __READABLE__",
    "__MOVABLE__:.*": "is not a kind of device",
    "__DEVICE__:.*": "is not a kind of device",
    "det:.*": "is not a kind of device",
    ":?a:b": "after the part '?a' there can be only a depth",
    ":?a:?b": "after the part '?a' there can be only a depth",
    ":?a:depth=": "after the part '?a' there can be only a depth",
    ":?a:depth=-1": "after the part '?a' there can be only a depth",
    ":?a:depth=two": "after the part '?a' there can be only a depth",
    ":?a:depth=2:x": "after the part '?a' there can be only a depth",
    ":?a:depth=0": "the depth is a number of levels, at least 1",
    ":" + "a" * 1000: "at most 1,000 characters; this one has 1,001",
    ":a" * 33: "at most 32 parts",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_pattern_is_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(PatternError) as refusal:
        device_pattern(text)

    assert WRONG[text] in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert len(str(refusal.value)) < 400


NAMES = st.sampled_from(["a", "b", "ab", "ba", "a1"])
EXPRESSIONS = st.sampled_from(["a", "b", "^a", "b$", "^ab$", ".*", "[ab]1", "a|b", "^(a|b)$", r"b\.a", r"^a\.", "x"])
TREES = st.recursive(
    st.just({}),
    lambda below: st.dictionaries(NAMES, st.builds(Node, st.sampled_from([DETECTOR, MOTOR, FLYER]), below), max_size=4),
    max_leaves=20,
)
KINDS = st.sampled_from(["", "", "", "__READABLE__", "__FLYABLE__", "__DETECTOR__", "__MOTOR__"])


@st.composite
def written_patterns(draw: st.DrawFn) -> Written:
    rest = draw(st.none() | EXPRESSIONS)
    depth = draw(st.none() | st.integers(1, 4)) if rest is not None else None
    signs = st.sampled_from(["", "+", "-"])
    levels = draw(st.lists(st.tuples(signs, EXPRESSIONS), min_size=1 if rest is None else 0, max_size=4))
    return Written(draw(KINDS), tuple(levels), rest, depth)


@given(TREES, written_patterns())
def test_a_pattern_selects_what_a_walk_down_the_tree_finds(tree: dict[str, Node], written: Written) -> None:
    pattern = device_pattern(written.text)

    found = {".".join(path) for path, traits in nodes(tree) if pattern.selects(path, traits)}

    assert found == written.expand(tree)
