from __future__ import annotations

import pytest
from queueserver.common.v1 import item_pb2
from queueserver_cli.outcome import WrongCommand
from queueserver_cli.plan_forms.plan_text import parse_plan
from queueserver_client import Item


def stored(item: Item) -> Item:
    """An item as the server would answer it: what is asked for has the same fields in both messages."""
    return Item.from_proto(item_pb2.Item.FromString(item.to_spec().SerializeToString()))


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "count", "args": [["det1"]], "kwargs": {"num": 5, "ok": true, "none": null}}',
        "{'name': 'count', 'args': [['det1']], 'kwargs': {'num': 5, 'ok': True, 'none': None}}",
        "{'name': 'count', 'args': (('det1',),), 'kwargs': dict and {}}".replace(
            "dict and {}", "{'num': 5, 'ok': True, 'none': None}"
        ),
    ],
)
def test_a_plan_is_json_or_a_python_literal(text: str) -> None:
    item = parse_plan(text)
    proto = item.to_spec()
    assert item.name == "count"
    assert proto.args.values[0].list_value.values[0].string_value == "det1"
    assert item.kwargs == {"num": 5, "ok": True, "none": None}


def test_a_printed_item_can_be_submitted_again() -> None:
    item = parse_plan("{'item_type': 'plan', 'item_uid': 'x', 'name': 'count', 'user': 'u', 'user_group': 'g'}")
    assert (item.name, item.uid, item.args) == ("count", "", None)


@pytest.mark.parametrize(
    ("meta", "merged"),
    [
        ('{"a": 1}', {"a": 1}),
        ('[{"a": 1}, {"a": 2, "b": 3}, {"b": 4}]', {"a": 1, "b": 3}),
        ("({'a': 1}, {'b': 2})", {"a": 1, "b": 2}),
        ("[]", {}),
    ],
)
def test_metadata_may_be_several_dictionaries_of_which_the_first_counts_most(meta: str, merged: dict[str, int]) -> None:
    quoted = f'{{"name": "count", "meta": {meta}}}'
    item = parse_plan(quoted)
    assert (item.meta, stored(item).meta) == (merged, merged)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"name": "count", "args" [1]}', "At character 28: "),
        ("{'name': 'count', 'args': [1}", "At character 29: "),
        ("", "neither JSON nor a Python literal"),
        ("count", "neither JSON nor a Python literal"),
        ("{'name': open('x')}", "At character 10: open is not a value; text is in quotes"),
        (
            "{'name': 'count', 'ok': true}",
            "At character 25: a Python literal has True, not true; in JSON, text is in do",
        ),
        (" {'name': 'é', \n 'args': [1, null]}", "At character 30: a Python literal has None, not null; in JSON, "),
        ('{"name": "count", "ok": true, }', "At character "),
        ("[1, 2]", "PLAN is a list, but must be a dictionary"),
        ("3", "PLAN is a int, but must be a dictionary"),
        ("{}", "PLAN needs a name"),
        ('{"name": 5}', "PLAN needs a name"),
        ('{"name": "count", "arg": []}', "unknown key 'arg'"),
        ('{"name": "count", 1: 2}', "unknown key 1"),
        ('{"name": "count", "args": {}}', "args of type dict, but it must be a list"),
        ('{"name": "count", "meta": "x"}', "meta of type str, but it must be a dictionary or a list of them"),
        ('{"name": "count", "meta": [{"a": 1}, 5]}', "meta[1] must be a dict, but is a int"),
        ('{"name": "count", "meta": [{"a": NaN}]}', "meta.a is nan"),
        ('{"name": "count", "kwargs": []}', "kwargs of type list, but it must be a dictionary"),
        ('{"name": "count", "item_type": "instruction"}', "this command adds plans"),
        ('{"name": "count", "kwargs": {"num": NaN}}', "kwargs.num is nan"),
        ('{"name": "count", "kwargs": {"num": -Infinity}}', "kwargs.num is -inf"),
        ('{"name": "count", "kwargs": {"num": 9007199254740992}}', "kwargs.num is a whole number beyond 2^53"),
        ('{"name": "count", "args": [[1, 1e400]]}', "args[0][1] is inf"),
        ('{"name": "count", "args": [' + "9" * 5000 + "]}", "PLAN"),
        ('{"name": "count", "args": ' + "[" * 20000 + "]" * 20000 + "}", "nested"),
        ('{"name": "count", "args": ' + "[" * 40 + "]" * 40 + "}", "is nested deeper than 30 levels"),
        ("{'name': 'count', 'kwargs': {'x': b'raw'}}", "kwargs.x is a bytes"),
        ("{'name': 'count', 'kwargs': {1: 2}}", "kwargs has the key 1, but keys must be text"),
        ("{'name': 'c\x00'", "neither JSON nor a Python literal"),
    ],
)
def test_a_wrong_plan_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(WrongCommand) as caught:
        parse_plan(text)
    assert sentence in str(caught.value)


def test_the_mark_stands_under_the_place() -> None:
    with pytest.raises(WrongCommand) as caught:
        parse_plan('{"name": "count", "args": [["det1"], ' + '"x", ' * 50 + "oops]}")
    shown, mark = str(caught.value).splitlines()[-2:]
    assert shown[mark.index("^") :].startswith("oops")
