"""Types of objects at random."""

from hypothesis import strategies as st
from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind

from tests.unit.common.inventory.type_notation import types

_bounds = st.none() | st.integers(-3, 3)


@st.composite
def records(draw: st.DrawFn) -> ParameterType:
    """Objects whose fields have bounds, as fields of the contract may have."""
    fields = tuple(
        RecordField(name, draw(types), draw(st.booleans()), minimum=draw(_bounds))
        for name in draw(st.sets(st.sampled_from(["a", "1"])))
    )
    return ParameterType(TypeKind.RECORD, fields=fields, open=draw(st.booleans()))
