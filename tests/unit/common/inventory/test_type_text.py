"""Annotations as text: what they mean, and that nothing is lost on the way there and back."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_text import TypeNames, TypeTextError, read_type, type_names, write_type

from tests.unit.common.inventory.type_notation import named, shown, types

DETS = TypeNames(
    devices={"Dets": ["det1", "stage.x"], "Both": ["det1"]},
    plans={"Follow": ["scan"], "Both": ["count", "det1"]},
    enums={"Mode": ["slow", "fast"]},
)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("int", "integer"),
        ("float", "number"),
        ("str", "string"),
        ("bool", "boolean"),
        ("tuple", "list"),
        ("dict", "map"),
        ("typing.Optional[int]", "integer | none"),
        ("int | None", "integer | none"),
        ("typing.Union[int, str]", "integer | string"),
        ("typing.List[int]", "list(integer)"),
        ("list[int]", "list(integer)"),
        ("typing.Literal['a', 'b']", "enum(a, b)"),
        ("typing.Dict[str, typing.Any]", "map(any)"),
        ("typing.Any", "any"),
        ("__READABLE__", "device:Readable"),
        ("__MOVABLE__", "device:Movable"),
        ("__FLYABLE__", "device:Flyable"),
        ("__DEVICE__", "device"),
        ("__PLAN__", "plan"),
        ("__PLAN_OR_DEVICE__", "device_or_plan"),
        ("__CALLABLE__", "callable"),
        ("typing.List[__READABLE__]", "list(device:Readable)"),
        ("typing.Union[__READABLE__, typing.List[__READABLE__]]", "device:Readable | list(device:Readable)"),
        ("collections.abc.Sequence[__READABLE__]", "list(device:Readable)"),
        ("collections.abc.Callable", "callable"),
        ("typing.Callable[[int], typing.Any]", "callable"),
        ("collections.abc.Iterable[typing.Any]", "list(any)"),
        ("'List[int]'", "list(integer)"),
    ],
)
def test_each_type_of_the_reference_is_read(text: str, tree: str) -> None:
    assert shown(read_type(text)) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("typing.List[Dets]", "list(device Dets[det1, stage.x])"),
        ("typing.Union[Follow, NoneType]", "plan Follow[scan] | none"),
        ("Both", "device_or_plan Both[det1, count]"),
        ("Mode", "enum Mode[slow, fast]"),
        ("dict[str, 'Mode | int']", "map(enum Mode[slow, fast] | integer)"),
        ("bluesky.protocols.Readable[int]", "device:Readable"),
        ("__MOTOR__ | __DETECTOR__", "device:Movable | device:Readable"),
        ("typing.Tuple[int, ...]", "list(integer)"),
        ("Tuple[int, str]", "tuple(integer, string)"),
        ("tuple[()]", "tuple"),
        ("Annotated[int, 'mm', range(3)]", "integer"),
        ("typing.Literal['a', 1, None, 'a', -2.5, True]", "enum(a) | literal(1, -2.5, True) | none"),
        ("int | (str | int) | None", "integer | string | none"),
        ("typing.Mapping[str, list]", "map(list)"),
        (" float\n", "number"),
        ("bytes", "string/bytes"),
        ("pathlib.Path", "string/path"),
        ("datetime.datetime | uuid.UUID", "string/date-time | string/uuid"),
        ("complex", "unspecified"),
        ("dict[__MOVABLE__, float]", "map(device:Movable: number)"),
        ("dict[int | None, Mode]", "map(integer | none: enum Mode[slow, fast])"),
        ("dict[str | int, int]", "map(string | integer: integer)"),
        ("dict[tuple[int, int], int]", "map(integer)"),
        ("typing.Literal[1, 1.0, True]", "literal(1, True)"),
        ("typing.Literal[b'x']", "unspecified"),
        (f"typing.Literal[{2**60 + 1}, 1]", "literal(1) | unspecified"),
        ("type[int]", "unspecified"),
    ],
)
def test_types_of_the_decorator_and_less_usual_ones_are_read(text: str, tree: str) -> None:
    assert shown(read_type(text, DETS)) == tree


def test_a_list_may_have_the_name_of_a_word() -> None:
    names = TypeNames(devices={"__MOTOR__": ["m1"], "Text": ["t"]})
    assert shown(read_type("__MOTOR__ | Text", names)) == "device __MOTOR__[m1] | device Text[t]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not a type"),
        ("int |", "is not a type"),
        ("Sets", "'Sets' is not known"),
        ("typing.List[Sets]", "'Sets' is not known"),
        ("numpy.float64", "not known"),
        ("os.system", "not known"),
        ("__import__('os')", "is not a type"),
        ("list[int](5)", "is not a type"),
        ("int[str]", "takes no types"),
        ("list[int, str]", "takes one type"),
        ("dict[str]", "keys and of values"),
        ("5", "Literal[5]"),
        ("...", "is not a type"),
        ("int + str", "is not a type"),
        ("typing.Literal[int]", "Literal takes"),
        ("list[" * 150 + "int" + "]" * 150, "levels"),
        ("list[" * 1500, "is not a type"),
        ("~" * 9000 + "x", "is not a type"),
        ("x." * 4000 + "x", "is not a type"),
        ("int\0", "is not a type"),
        ("x" * 10_001, "at most 10,000"),
    ],
)
def test_what_is_no_type_is_refused_with_a_reason(text: str, told: str) -> None:
    with pytest.raises(TypeTextError) as refused:
        read_type(text)
    assert told in str(refused.value)
    assert str(refused.value).endswith(".")


def test_only_what_is_not_known_becomes_anything_when_reading_leniently() -> None:
    assert shown(read_type("Sequence[Readable] | Decimal | dict[str, Sets] | 5", lenient=True)) == (
        "list(device:Readable) | unspecified | map(unspecified)"
    )


def test_a_long_union_is_read() -> None:
    assert shown(read_type(" | ".join(["int", "str"] * 800))) == "integer | string"


@given(types)
def test_what_was_written_reads_as_the_same_type(tree: ParameterType) -> None:
    text, names = write_type(tree)
    assert read_type(text, names) == tree
    assert names == type_names(tree)


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_read_or_refused(text: str, lenient: bool) -> None:
    with suppress(TypeTextError):
        assert read_type(text, lenient=lenient).kind in TypeKind


def test_two_lists_of_one_name_are_written_under_two() -> None:
    one, other = named("Dets", TypeKind.DEVICE, ["a"]), named("Dets", TypeKind.DEVICE, ["b"])
    text, names = write_type(ParameterType(TypeKind.UNION, (one, other)))
    assert text == "Dets | Dets2"
    assert names.devices == {"Dets": ["a"], "Dets2": ["b"]}


@pytest.mark.parametrize("name", ["", "int", "class", "__DEVICE__", "no name"])
def test_a_list_without_a_usable_name_gets_one(name: str) -> None:
    text, names = write_type(named(name, TypeKind.DEVICE, ["a"]))
    assert names.devices == {text: ["a"]}
    assert text == "Names"


def test_a_type_that_has_no_text_is_refused() -> None:
    unknown = ParameterType(TypeKind.LIST, (ParameterType(),))
    with pytest.raises(TypeTextError, match="no text"):
        write_type(unknown)
