"""Values against the types of parameters: what is accepted, and how the rest is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind
from queueserver_inventory.patterns import Traits
from queueserver_inventory.value_fit import fits
from queueserver_manager.domain.inventory import Device, Inventory, Parameter, ParameterKind, Plan
from queueserver_manager.domain.queue.item import ItemKind
from queueserver_manager.domain.refusals.errors import ItemInvalid
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.bounds import out_of_bounds
from queueserver_manager.domain.validation.type_matching import first_misfits
from queueserver_manager.domain.validation.type_words import describe
from queueserver_manager.domain.validation.validation import check_item

from tests.unit.manager.samples import relaxed, values

_K = TypeKind
BELOW_5 = math.nextafter(5, 0)
TINIEST = math.nextafter(0, 1)
TINIEST_TEXT = "4.94065645841247e-324"
#: 10**400, as far as it is shown.
LONGEST = "1" + "0" * 58 + "…"
X = Device("x", traits=Traits(is_readable=True, is_movable=True), instance_of=frozenset({"lab.Axis"}))
STAGE = Device("stage", {"x": X, "motors": Device("motors", {"z": Device("z")})})
INVENTORY = AllowedInventory(
    Inventory({"count": Plan("count", ())}, {"axis": X, "det1": Device("det1"), "det2": Device("det2"), "stage": STAGE})
)


def first(value: Any, expected: ParameterType) -> tuple[str, str] | None:
    """Where a value does not fit, and the phrase for it."""
    found = first_misfits(value, expected, INVENTORY)
    assert fits(value, expected, INVENTORY.names) is (not found)
    return (found[0].path, found[0].phrase) if found else None


def of(kind: TypeKind, *arguments: ParameterType, choices: tuple[str, ...] = ()) -> ParameterType:
    return ParameterType(kind, arguments, choices)


INTEGER, NUMBER, STRING, NONE, DEVICE = (of(k) for k in (_K.INTEGER, _K.NUMBER, _K.STRING, _K.NONE, _K.DEVICE))
#: A list of the plan's author; what it names need not be there any more.
LISTED = ParameterType(_K.DEVICE, choices=("det1", "gone", "stage.x"), listed=True)
MOVABLE = ParameterType(_K.DEVICE, device_protocol="Movable")
AXIS = ParameterType(_K.DEVICE, device_class="lab.Axis")
ONE_OR_YES = ParameterType(_K.LITERAL, values=(1, 2.5, True))
WINDOW = ParameterType(
    _K.RECORD,
    fields=(
        RecordField("motor", MOVABLE, required=True),
        RecordField("width", NUMBER, required=False, minimum=0),
        RecordField("marks", of(_K.LIST, STRING), required=False),
    ),
)
OPEN = ParameterType(_K.RECORD, fields=(RecordField("a", INTEGER, required=True),), open=True)


def map_by(key: ParameterType) -> ParameterType:
    return ParameterType(_K.MAP, (NUMBER,), key=key)


def text(form: str) -> ParameterType:
    return ParameterType(_K.STRING, format=form)


CASES: dict[str, tuple[ParameterType, list[Any], list[Any]]] = {
    "untyped": (of(_K.UNSPECIFIED), [1, 1.5, "a", None, True, [1], {"a": 1}], []),
    "any": (of(_K.ANY), [1, 1.5, "a", None, True, [1], {"a": 1}], []),
    "none": (NONE, [None], [0, False, "", []]),
    "int": (INTEGER, [1, 0, -5, 2**53 - 1], [1.5, "1", True, False, None, [1]]),
    "float": (NUMBER, [1, 1.5, -2.0], ["1.5", None, True, [1.5]]),
    "str": (STRING, ["a", "det1", ""], [1, 1.5, None, ["a"]]),
    "bool": (of(_K.BOOLEAN), [True, False], [1, 0, "true", "yes", None]),
    "list": (of(_K.LIST), [[], [1, "a"]], ["12", {"a": 1}, None]),
    "list[int]": (of(_K.LIST, INTEGER), [[1, 2], []], [[1, "2"], [1.5], [True], "12", {"a": 1}]),
    "list[float]": (of(_K.LIST, NUMBER), [[1, 2.5]], [["1"]]),
    "tuple[int, str]": (of(_K.TUPLE, INTEGER, STRING), [[1, "a"]], [[1], ["1", "a"], [1, "a", 2], "1a", None]),
    "dict": (of(_K.MAP), [{}, {"a": "b"}], [[], "a", None]),
    "dict[str, int]": (of(_K.MAP, INTEGER), [{"a": 1}, {}], [{"a": 1.5}, {"a": "1"}, [1]]),
    "optional int": (of(_K.UNION, INTEGER, NONE), [None, 1], ["a", 1.5]),
    "int or str": (of(_K.UNION, INTEGER, STRING), [1, "a", "1"], [1.5, None]),
    "enum": (of(_K.ENUM, choices=("x", "y")), ["x", "y"], ["z", "", 1, None]),
    "device": (DEVICE, ["det1", "stage", "stage.x", "stage.motors.z"], ["nope", "stage.y", "x", "", 5, ["det1"]]),
    "list[device]": (of(_K.LIST, DEVICE), [["det1", "stage.x"], []], [["stage.y"], "det1", [5], None]),
    "device or number": (of(_K.UNION, DEVICE, NUMBER), ["det1", 2.5], ["nope", None]),
    "plan": (of(_K.PLAN), ["count"], [5, None, "nope", "det1"]),
    "device or plan": (of(_K.DEVICE_OR_PLAN), ["count", "det1"], [5, None, "nope"]),
    "listed devices": (LISTED, ["det1", "stage.x"], ["det2", "stage", "gone", "", 5, None]),
    "list of listed devices": (of(_K.LIST, LISTED), [["det1", "stage.x"], []], [["stage.motors"], "det1", None]),
    "listed, but there is none": (ParameterType(_K.DEVICE, listed=True), [], ["det1", "", None]),
    "listed device or text": (of(_K.UNION, LISTED, STRING), ["det1", "det2", "zzz"], [5, None]),
    "callable": (of(_K.CALLABLE), ["numpy.mean"], [5, None]),
    "literal": (ONE_OR_YES, [1, 1.0, 2.5, True], [2, False, "1", None, [1]]),
    "literal truth": (ParameterType(_K.LITERAL, values=(False,)), [False], [0, 0.0, True, None]),
    "movable": (MOVABLE, ["stage.x"], ["det1", "stage", "nope", 5]),
    "device of a class": (AXIS, ["stage.x"], ["det1", "stage.motors.z", "nope", None]),
    "record": (
        WINDOW,
        [{"motor": "stage.x"}, {"motor": "stage.x", "width": 1, "marks": ["a"]}],
        [{}, {"motor": "det1"}, {"motor": "stage.x", "widht": 1}, {"motor": "stage.x", "width": -1}, [], "stage.x"],
    ),
    "open record": (OPEN, [{"a": 1}, {"a": 1, "b": [{}]}], [{"b": 1}, {"a": "1"}]),
    "dict[Movable, float]": (map_by(MOVABLE), [{"stage.x": 1}, {}], [{"det1": 1}, {"nope": 1}, {"stage.x": "1"}]),
    "dict[int, float]": (map_by(INTEGER), [{"1": 1, "-5": 2}], [{"1.5": 1}, {"a": 1}, {"true": 1}, {"[1]": 1}]),
    "dict[bool | str, float]": (map_by(of(_K.UNION, of(_K.BOOLEAN), STRING)), [{"true": 1, "x": 2}], [{"x": "y"}]),
    "datetime": (text("date-time"), ["2026-01-31T12:30:00", "2026-01-31T12:30:00Z"], ["soon", "", 5]),
    "date": (text("date"), ["2026-01-31"], ["31.1.2026", "2026-02-30"]),
    "time": (text("time"), ["12:30:00"], ["half past"]),
    "uuid": (text("uuid"), ["12345678-1234-5678-1234-567812345678"], ["12345678", "x" * 36]),
    "path": (text("path"), ["/a/b", ""], [5, None]),
}


def test_every_kind_of_type_has_a_case() -> None:
    assert {expected.kind for expected, _, _ in CASES.values()} == set(TypeKind)


@pytest.mark.parametrize(
    ("expected", "value"),
    [pytest.param(expected, v, id=f"{name}: {v!r}") for name, (expected, good, _) in CASES.items() for v in good],
)
def test_a_value_of_its_type_is_accepted(expected: ParameterType, value: Any) -> None:
    assert first(value, expected) is None


@pytest.mark.parametrize(
    ("expected", "value"),
    [pytest.param(expected, v, id=f"{name}: {v!r}") for name, (expected, _, bad) in CASES.items() for v in bad],
)
def test_a_value_of_another_type_is_refused_with_a_phrase(expected: ParameterType, value: Any) -> None:
    found = first(value, expected)
    assert found is not None
    assert not found[1].endswith(".")
    assert "must " in found[1] or found[1].startswith(("no such field", "required"))


@pytest.mark.parametrize(
    ("expected", "value", "phrase"),
    [
        (INTEGER, "five", 'must be a whole number, not "five"'),
        (INTEGER, True, "must be a whole number, not true"),
        (NUMBER, None, "must be a number, not null"),
        (of(_K.ENUM, choices=("x", "y")), "z", "must be one of 'x', 'y', not \"z\""),
        (of(_K.LIST, INTEGER), 5, "must be a list (each element a whole number), not 5"),
        (of(_K.TUPLE, INTEGER, STRING), [1], "must have 2 elements, not 1"),
        (of(_K.UNION, INTEGER, NONE), "a", 'must be a whole number or null, not "a"'),
        (of(_K.UNION, INTEGER, INTEGER), "a", 'must be a whole number, not "a"'),
        (of(_K.MAP, INTEGER), [], "must be an object, not []"),
        (DEVICE, 5, "must be the name of a device, not 5"),
        (
            DEVICE,
            "det",
            "must be the name of a device, and there is no 'det' that you may use; did you mean 'det2', 'det1'?",
        ),
        (DEVICE, "zzz", "must be the name of a device, and there is no 'zzz' that you may use"),
        (
            of(_K.UNION, DEVICE, NONE),
            "stagee",
            "must be the name of a device, and there is no 'stagee' that you may use; did you mean 'stage'?",
        ),
        (of(_K.UNION, DEVICE, NONE), 5, "must be the name of a device or null, not 5"),
        (ONE_OR_YES, 2, "must be 1 or 2.5 or true, not 2"),
        (MOVABLE, "det1", "must be the name of a device that can be moved, which 'det1' is not"),
        (AXIS, "det1", "must be the name of a device of the class Axis, which 'det1' is not; there is 'axis'"),
        (
            AXIS,
            "axxis",
            (
                "must be the name of a device of the class Axis, and there is no 'axxis' that you may use; "
                "did you mean 'axis'?"
            ),
        ),
        (WINDOW, 5, "must be an object with motor, width, marks, not 5"),
        (text("date"), "today", 'must be a date, as 2026-01-31, not "today"'),
    ],
)
def test_the_phrase_names_what_is_expected_and_what_was_given(expected: ParameterType, value: Any, phrase: str) -> None:
    assert first(value, expected) == ("", phrase)


@pytest.mark.parametrize(
    ("expected", "value", "wrong"),
    [
        (of(_K.LIST, INTEGER), [1, "2", "3"], {"[1]": 'must be a whole number, not "2"'}),
        (of(_K.LIST, of(_K.LIST, INTEGER)), [[1], [2, None]], {"[1][1]": "must be a whole number, not null"}),
        (
            of(_K.UNION, of(_K.LIST, DEVICE), NONE),
            ["det1", "dett2"],
            {
                "[1]": "must be the name of a device, and there is no 'dett2' that you may use; "
                "did you mean 'det2', 'det1'?"
            },
        ),
        (
            of(_K.UNION, of(_K.LIST, of(_K.TUPLE, DEVICE, NUMBER)), of(_K.LIST, INTEGER), NONE),
            [["det1", 5], ["det1", "five"]],
            {"[1][1]": 'must be a number, not "five"'},
        ),
        (
            WINDOW,
            {"motr": "stage.x", "width": "wide", "marks": ["a", 5]},
            {
                ".motr": "no such field; did you mean 'motor'?",
                ".width": 'must be a number, not "wide"',
                ".marks[1]": "must be text, not 5",
                ".motor": "required and not given",
            },
        ),
        (of(_K.LIST, WINDOW), [{"motor": "stage.x", "width": -1}], {"[0].width": "must be at least 0, not -1"}),
        (
            map_by(DEVICE),
            {"det1": 1, "dett2": 1},
            {
                ".dett2": "the key must be the name of a device, and there is no 'dett2' that you may use; "
                "did you mean 'det2', 'det1'?"
            },
        ),
        (of(_K.MAP, INTEGER), {"a": 1, "b": "x"}, {".b": 'must be a whole number, not "x"'}),
    ],
)
def test_what_is_wrong_inside_a_value_is_named_with_its_path(
    expected: ParameterType, value: Any, wrong: dict[str, str]
) -> None:
    assert {found.path: found.phrase for found in first_misfits(value, expected, INVENTORY)} == wrong


def test_of_many_things_that_are_wrong_no_more_are_put_into_words_than_anybody_reads() -> None:
    value = {str(number): number for number in range(100_000)}
    assert len(first_misfits(value, WINDOW, INVENTORY)) == 10


def test_a_long_value_is_cut_in_the_phrase() -> None:
    (_, phrase) = first(["a" * 1000], INTEGER) or ("", "")
    assert len(phrase) < 100
    assert phrase.endswith("…")


types = st.recursive(
    st.sampled_from([k for k in TypeKind if k not in (_K.LIST, _K.TUPLE, _K.MAP, _K.UNION)]).map(
        lambda kind: ParameterType(
            kind, choices=("x", "y"), values=(1, True), fields=(RecordField("x", INTEGER, True),)
        )
    ),
    lambda inner: st.builds(
        lambda kind, arguments: of(kind, *arguments),
        st.sampled_from([_K.LIST, _K.TUPLE, _K.MAP, _K.UNION]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


@relaxed
@given(types, values)
def test_any_value_is_judged_by_any_type_without_a_crash(expected: ParameterType, value: Any) -> None:
    first(value, expected)
    assert describe(expected)
    assert first(value, of(_K.UNION, expected, of(_K.ANY))) is None


def call(types_by_name: dict[str, tuple[ParameterKind, ParameterType]], *args: Any, **kwargs: Any) -> dict[str, str]:
    """What is wrong with a call, by field."""
    parameters = tuple(Parameter(name, kind, False, type_) for name, (kind, type_) in types_by_name.items())
    inventory = AllowedInventory(Inventory({"plan": Plan("plan", parameters)}, INVENTORY.inventory.devices))
    try:
        check_item(ItemKind.PLAN, "plan", args, kwargs, inventory)
    except ItemInvalid as error:
        return {violation.field: violation.description for violation in error.violations}
    return {}


def test_each_wrong_value_is_named_with_the_path_of_its_field() -> None:
    wrong = call(
        {
            "detectors": (ParameterKind.POSITIONAL_OR_KEYWORD, of(_K.LIST, DEVICE)),
            "num": (ParameterKind.POSITIONAL_OR_KEYWORD, INTEGER),
            "rest": (ParameterKind.VAR_POSITIONAL, NUMBER),
            "delay": (ParameterKind.KEYWORD_ONLY, NUMBER),
            "others": (ParameterKind.VAR_KEYWORD, STRING),
        },
        *(["det1", "dett2"], 1.5, 2.5, "x"),
        delay=None,
        note=5,
    )
    assert wrong == {
        "item.args[0][1]": "must be the name of a device, and there is no 'dett2' that you may use; "
        "did you mean 'det2', 'det1'?",
        "item.args[1]": "must be a whole number, not 1.5",
        "item.args[3]": 'must be a number, not "x"',
        "item.kwargs.delay": "must be a number, not null",
        "item.kwargs.note": "must be text, not 5",
    }


@pytest.mark.parametrize(
    ("name", "there"),
    [("stage", True), ("stage.motors", True), ("stage.motors.z", True)]
    + [(name, False) for name in ("stage.z", "stage.x.y", "", ".", "stage.", ".stage", "stage..x", "z")],
)
def test_a_dotted_name_leads_to_a_component_or_nowhere(name: str, there: bool) -> None:
    assert INVENTORY.has_device(name) is there


@pytest.mark.parametrize(
    ("minimum", "maximum", "value", "phrase"),
    [
        (0, 10, 5, ""),
        (0, 10, 0, ""),
        (0, 10, 10, ""),
        (0, 10, "x", ""),
        (0, 10, True, ""),
        (0, 10, None, ""),
        (0, 10, "20", ""),
        (0, 10, {"20": 5}, ""),
        (0, 10, -1, "must be from 0 to 10, not -1"),
        (0, 10, 11, "must be from 0 to 10, not 11"),
        (0, 10, [1, 2, 30], "must be from 0 to 10, not 30"),
        (0, 10, {"a": {"b": [5, -5]}}, "must be from 0 to 10, not -5"),
        (-5, None, -5.5, "must be at least -5, not -5.5"),
        (None, 5.5, 5.6, "must be at most 5.5, not 5.6"),
        (None, 5.5, 5.5, ""),
        (0, BELOW_5, 5.0, "must be at least 0 and less than 5, not 5.0"),
        (0, BELOW_5, BELOW_5, ""),
        (TINIEST, None, 0, "must be more than 0, not 0"),
        (None, -TINIEST, 0, "must be less than 0, not 0"),
        (-TINIEST, TINIEST, 1, f"must be from -{TINIEST_TEXT} to {TINIEST_TEXT}, not 1"),
        (TINIEST, 1, 2, "must be more than 0 and at most 1, not 2"),
        (TINIEST, math.nextafter(1, 0), 1, "must be more than 0 and less than 1, not 1"),
        (math.nextafter(-0.1, 0), None, -0.1, "must be more than -0.1, not -0.1"),
        (-0.0, None, -1, "must be at least 0, not -1"),
        (1 / 3, 1e300, 0, "must be from 0.3333333333333333 to 1e+300, not 0"),
        (2.0**53, 2.0**60, 1, "must be from 9007199254740992 to 1.152921504606847e+18, not 1"),
        (None, math.nextafter(1e16, 0), 10**16 - 1, f"must be at most {10**16 - 2}, not {10**16 - 1}"),
        (None, math.nextafter(math.inf, 0), 10**400, f"must be at most 1.7976931348623157e+308, not {LONGEST}"),
    ],
)
def test_every_number_inside_a_value_is_within_the_bounds(
    minimum: float | None, maximum: float | None, value: Any, phrase: str
) -> None:
    assert out_of_bounds(value, minimum, maximum) == phrase


def test_bounds_of_a_parameter_without_type_are_kept_too() -> None:
    bounded = Parameter("x", ParameterKind.POSITIONAL_OR_KEYWORD, required=True, minimum=0, maximum=10)
    rest = Parameter("more", ParameterKind.VAR_POSITIONAL, required=False, type=NUMBER, maximum=3)
    inventory = AllowedInventory(Inventory({"move": Plan("move", (bounded, rest))}))
    check_item(ItemKind.PLAN, "move", [5, 1, 2], {}, inventory)
    with pytest.raises(ItemInvalid) as caught:
        check_item(ItemKind.PLAN, "move", [50, 1, 4], {}, inventory)
    assert {violation.field: violation.description for violation in caught.value.violations} == {
        "item.args[0]": "must be from 0 to 10, not 50",
        "item.args[2]": "must be at most 3, not 4",
    }


@pytest.mark.parametrize(
    ("names", "phrase"),
    [
        (("a", "b"), "must be one of 'a', 'b', not \"zzz\""),
        ((), 'must be a name of a list that has none for you, not "zzz"'),
        (tuple(f"d{n}" for n in range(23)), 'and 3 more, not "zzz"'),
    ],
)
def test_a_refused_name_of_a_list_is_answered_with_the_list(names: tuple[str, ...], phrase: str) -> None:
    (_, told) = first("zzz", ParameterType(_K.DEVICE, choices=names, listed=True)) or ("", "")
    assert told.endswith(phrase)
