"""Types in short, for tables: ``list(device:Readable) | none``; and types at random."""

from google.protobuf.struct_pb2 import Value
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
    if tree.listed or (tree.type_name and tree.kind == ParameterType.KIND_ENUM):
        return f"{name} {tree.type_name}[{', '.join(tree.choices)}]"
    key = f"{shown(tree.key)}: " if tree.HasField("key") else ""
    fields = [f"{each.name}{'' if each.required else '?'}: {shown(each.type)}" for each in tree.fields]
    parts = [*(key + shown(part) for part in tree.arguments), *tree.choices, *map(_value, tree.values), *fields]
    parts += ["..."] if tree.open else []
    inside = f"({', '.join(parts)})" if parts else ""
    extras = ((":", tree.device_protocol), ("/", tree.format), (" of ", tree.device_class.rpartition(".")[2]))
    return name + "".join(mark + extra for mark, extra in extras if extra) + inside


def _value(value: Value) -> str:
    kind = value.WhichOneof("kind")
    return f"{value.number_value:g}" if kind == "number_value" else str(value.bool_value)


def named(name: str, kind: "ParameterType.Kind.ValueType", choices: list[str]) -> ParameterType:
    return ParameterType(kind=kind, type_name=name, choices=choices, listed=kind != ParameterType.KIND_ENUM)


_choices = st.lists(st.text(max_size=8), unique=True, max_size=3)
_values = st.builds(Value, number_value=st.sampled_from([0.0, 1.0, -2.5, 1e300])) | st.builds(
    Value, bool_value=st.booleans()
)
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
    | st.builds(
        ParameterType,
        kind=st.just(ParameterType.KIND_STRING),
        format=st.sampled_from(["path", "date-time", "date", "time", "uuid", "bytes"]),
    )
    | st.builds(
        ParameterType,
        kind=st.just(ParameterType.KIND_LITERAL),
        values=st.lists(_values, min_size=1, max_size=3, unique_by=repr),
    )
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
