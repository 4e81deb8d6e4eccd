"""A plan as YAML for an editor: whatever it holds comes back as it was, and words mean what they mean in JSON."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queueserver_cli.outcome import WrongCommand
from queueserver_cli.plan_forms.plan_yaml import from_yaml, to_yaml
from queueserver_client import Item

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.text(string.printable, max_size=12)
WORDS = st.sampled_from(
    [
        "on",
        "yes",
        "No",
        "~",
        "null",
        "1e5",
        "0x1",
        "1_000",
        "12:30:45",
        "2026-01-01",
        "=",
        "<<",
        ".inf",
        "- a",
        "a: b",
        "#",
    ]
)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | WORDS,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(TEXTS | WORDS, each, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS | WORDS, VALUES, max_size=4)


def exact(item: Item | None) -> str:
    """An item in which 1, 1.0 and True differ."""
    assert item is not None
    return json.dumps([item.name, item.args, item.kwargs, item.meta, item.properties], sort_keys=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=4), OBJECTS, OBJECTS, OBJECTS)
def test_every_plan_comes_back_as_it_was(args: list[Any], kwargs: Any, meta: Any, properties: Any) -> None:
    item = Item("count", args=args, kwargs=kwargs, meta=meta, properties=properties)
    assert exact(from_yaml(to_yaml(item, ["a remark\nof two lines"]))) == exact(item)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            ("1e-3", 0.001),
            ("5", 5),
            ("-2", -2),
            ("2.50", 2.5),
            (".5", 0.5),
            ("true", True),
            ("null", None),
            ("~", None),
        ),
        *(("on", "on"), ("yes", "yes"), ("2026-01-01", "2026-01-01"), ("0x10", "0x10"), ("007", "007"), ("1_0", "1_0")),
        *(("'5'", "5"), ("[det1, det2]", ["det1", "det2"]), ("{a: 1}", {"a": 1}), ("12:30", "12:30")),
    ],
)
def test_plain_words_mean_what_they_mean_in_json(text: str, value: Any) -> None:
    item = from_yaml(f"name: count\nargs: [{text}]\n")
    assert exact(item) == exact(Item("count", args=[value]))


def test_an_instruction_comes_back() -> None:
    item = from_yaml(to_yaml(Item.queue_stop(), []))
    assert item == Item.queue_stop()


@pytest.mark.parametrize("text", ["", "# only a remark\n", "\n\n", "~\n"])
def test_a_text_without_a_plan_is_none(text: str) -> None:
    assert from_yaml(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [\n", "is not YAML in line 2"),
        ("name: a\n  b: c: d", "is not YAML in line"),
        ("- a\n- b\n", "must have keys"),
        ("just words", "must have keys"),
        ("args: [1]\n", "PLAN needs a name"),
        ("name: count\nargs: 5\n", "PLAN has args of type int"),
        ("name: count\nagrs: []\n", "unknown key 'agrs'"),
        ("name: count\nargs: [.nan, !!python/object:os.system x]\n", "is not YAML in line"),
        ("item_type: instruction\nname: pause\n", "The only instruction is queue_stop"),
        ("name: count\nargs: [!!binary aGk=]\n", "PLAN"),
        ("name: count\nargs: " + "[" * 3000, "is not YAML"),
        ("\x00", "is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, words: str) -> None:
    with pytest.raises(WrongCommand, match=r".") as refused:
        from_yaml(text)
    assert words in str(refused.value)
