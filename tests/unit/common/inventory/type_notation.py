"""Types in short, for tables: ``list(device:Readable) | none``; and types at random."""

from typing import Any

from hypothesis import strategies as st
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_trees import union_of

_SIMPLE = (
    TypeKind.ANY,
    TypeKind.NONE,
    TypeKind.BOOLEAN,
    TypeKind.INTEGER,
    TypeKind.NUMBER,
    TypeKind.STRING,
    TypeKind.LIST,
    TypeKind.MAP,
    TypeKind.PLAN,
    TypeKind.DEVICE_OR_PLAN,
    TypeKind.CALLABLE,
)


def shown(tree: ParameterType) -> str:
    """Write a type in short. A list with a name: ``device Dets[det1, det2]``."""
    name = tree.kind.name.lower()
    if tree.kind is TypeKind.UNION:
        return " | ".join(map(shown, tree.arguments))
    if tree.listed or (tree.type_name and tree.kind is TypeKind.ENUM):
        return f"{name} {tree.type_name}[{', '.join(tree.choices)}]"
    key = f"{shown(tree.key)}: " if tree.key is not None else ""
    fields = [f"{each.name}{'' if each.required else '?'}: {shown(each.type)}" for each in tree.fields]
    parts = [*(key + shown(part) for part in tree.arguments), *tree.choices, *map(_value, tree.values), *fields]
    parts += ["..."] if tree.open else []
    inside = f"({', '.join(parts)})" if parts else ""
    extras = ((":", tree.device_protocol), ("/", tree.format), (" of ", tree.device_class.rpartition(".")[2]))
    return name + "".join(mark + extra for mark, extra in extras if extra) + inside


def _value(value: Any) -> str:
    return str(value) if isinstance(value, bool) else f"{value:g}"


def named(name: str, kind: TypeKind, choices: list[str]) -> ParameterType:
    return ParameterType(kind, type_name=name, choices=tuple(choices), listed=kind is not TypeKind.ENUM)


# What protobuf takes: lone surrogates are not text for it.
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_choices = st.lists(_texts, unique=True, max_size=3).map(tuple)
_values = st.sampled_from([0, 1, -2.5, 1e300]) | st.booleans()
# One name means one list, so kind and choices follow from the name.
_named = st.sampled_from(
    [
        named("Dets", TypeKind.DEVICE, ["det1", "stage.x"]),
        named("Nothing", TypeKind.DEVICE, []),
        named("Text", TypeKind.PLAN, ["count"]),
        named("Both", TypeKind.DEVICE_OR_PLAN, ["count", "det1"]),
        named("Mode", TypeKind.ENUM, ["slow", "fast"]),
    ]
)
_leaves = (
    st.builds(ParameterType, kind=st.sampled_from(_SIMPLE))
    | st.builds(
        ParameterType,
        kind=st.just(TypeKind.DEVICE),
        device_protocol=st.sampled_from(["", "Readable", "Movable", "Flyable"]),
    )
    | st.builds(ParameterType, kind=st.just(TypeKind.ENUM), choices=_choices.filter(bool))
    | st.builds(
        ParameterType,
        kind=st.just(TypeKind.STRING),
        format=st.sampled_from(["path", "date-time", "date", "time", "uuid", "bytes"]),
    )
    | st.builds(
        ParameterType,
        kind=st.just(TypeKind.LITERAL),
        values=st.lists(_values, min_size=1, max_size=3, unique_by=repr).map(tuple),
    )
    | _named
)


def _composed(parts: st.SearchStrategy[ParameterType]) -> st.SearchStrategy[ParameterType]:
    def of(kind: TypeKind, most: int) -> st.SearchStrategy[ParameterType]:
        arguments = st.lists(parts, max_size=most).map(tuple)
        return st.builds(ParameterType, kind=st.just(kind), arguments=arguments)

    lists = of(TypeKind.LIST, 1) | of(TypeKind.MAP, 1) | of(TypeKind.TUPLE, 4)
    return lists | st.lists(parts, min_size=1, max_size=4).map(union_of)


types = st.recursive(_leaves, _composed, max_leaves=12)
"""Types that text can express, in normal form."""
