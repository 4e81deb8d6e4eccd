"""Types in short, for tables: ``list(device:Readable) | none``; and types at random."""

from hypothesis import strategies as st
from queueserver.common.v1.inventory_pb2 import ParameterType
from queueserver_inventory.type_trees import union_of

_SIMPLE = (
    ParameterType.KIND_ANY,
    ParameterType.KIND_NONE,
    ParameterType.KIND_BOOLEAN,
    ParameterType.KIND_INTEGER,
    ParameterType.KIND_NUMBER,
    ParameterType.KIND_STRING,
    ParameterType.KIND_LIST,
    ParameterType.KIND_MAP,
    ParameterType.KIND_PLAN,
    ParameterType.KIND_DEVICE_OR_PLAN,
    ParameterType.KIND_CALLABLE,
)


def shown(tree: ParameterType) -> str:
    """Write a type in short. A list with a name: ``device Dets[det1, det2]``."""
    name = ParameterType.Kind.Name(tree.kind).removeprefix("KIND_").lower()
    if tree.kind == ParameterType.KIND_UNION:
        return " | ".join(map(shown, tree.arguments))
    if tree.listed or tree.type_name:
        return f"{name} {tree.type_name}[{', '.join(tree.choices)}]"
    parts = [*map(shown, tree.arguments), *tree.choices]
    inside = f"({', '.join(parts)})" if parts else ""
    return name + (f":{tree.device_protocol}" if tree.device_protocol else "") + inside


def named(name: str, kind: "ParameterType.Kind.ValueType", choices: list[str]) -> ParameterType:
    return ParameterType(kind=kind, type_name=name, choices=choices, listed=kind != ParameterType.KIND_ENUM)


_choices = st.lists(st.text(max_size=8), unique=True, max_size=3)
# One name means one list, so kind and choices follow from the name.
_named = st.sampled_from(
    [
        named("Dets", ParameterType.KIND_DEVICE, ["det1", "stage.x"]),
        named("Nothing", ParameterType.KIND_DEVICE, []),
        named("Text", ParameterType.KIND_PLAN, ["count"]),
        named("Both", ParameterType.KIND_DEVICE_OR_PLAN, ["count", "det1"]),
        named("Mode", ParameterType.KIND_ENUM, ["slow", "fast"]),
    ]
)
_leaves = (
    st.builds(ParameterType, kind=st.sampled_from(_SIMPLE))
    | st.builds(
        ParameterType,
        kind=st.just(ParameterType.KIND_DEVICE),
        device_protocol=st.sampled_from(["", "Readable", "Movable", "Flyable"]),
    )
    | st.builds(ParameterType, kind=st.just(ParameterType.KIND_ENUM), choices=_choices.filter(bool))
    | _named
)


def _composed(parts: st.SearchStrategy[ParameterType]) -> st.SearchStrategy[ParameterType]:
    def of(kind: "ParameterType.Kind.ValueType", most: int) -> st.SearchStrategy[ParameterType]:
        arguments = st.lists(parts, max_size=most)
        return st.builds(ParameterType, kind=st.just(kind), arguments=arguments)

    lists = of(ParameterType.KIND_LIST, 1) | of(ParameterType.KIND_MAP, 1) | of(ParameterType.KIND_TUPLE, 4)
    return lists | st.lists(parts, min_size=1, max_size=4).map(union_of)


types = st.recursive(_leaves, _composed, max_leaves=12)
"""Types that text can express, in normal form."""
