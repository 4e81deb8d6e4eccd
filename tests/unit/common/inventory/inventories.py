"""Inventories at random, as an environment could send them."""

from dataclasses import replace
from typing import TypeVar

from hypothesis import strategies as st
from queueserver_inventory.descriptions import (
    DeviceDescription,
    Inventory,
    ParameterDescription,
    ParameterKind,
    PlanDescription,
)
from queueserver_inventory.device_places import takes_device_names
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_text import write_type

from tests.unit.common.inventory.type_notation import types

# Anything that protobuf takes: lone surrogates are not text for it.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_names = st.from_regex(r"[A-Za-z_]\w{0,5}", fullmatch=True) | st.sampled_from(["y", "null", "No", "e1", "true", "Ä"])
_literals = st.sampled_from(["1", "-1.5", "'a'", "None", "True", "['det1']", "{'a': (1, 2)}", "''"])
# Adding zero makes negative zero positive: it is the same number, but messages tell it apart.
_numbers = st.integers(-1000, 1000).map(float) | st.floats(allow_nan=False, allow_infinity=False)
_limits = st.none() | _numbers.map(lambda number: number + 0.0)
_switches = st.none() | st.booleans()


@st.composite
def _parameters(draw: st.DrawFn) -> ParameterDescription:
    tree = draw(st.just(ParameterType()) | types)
    annotated = tree.kind is not TypeKind.UNSPECIFIED
    default = draw(st.none() | _literals)
    parameter = ParameterDescription(
        name=draw(_names),
        kind=draw(st.sampled_from(list(ParameterKind)[1:])),
        type=tree,
        annotation=write_type(tree)[0] if annotated else "",
        default_text=default,
        description=draw(texts),
        default_in_decorator=default is not None and draw(st.booleans()),
        minimum=draw(_limits),
        maximum=draw(_limits),
        step=draw(_limits),
        unit=draw(texts),
    )
    return replace(parameter, takes_device_names=takes_device_names(parameter))


_plans = st.builds(
    PlanDescription,
    description=texts,
    parameters=st.lists(_parameters(), max_size=3, unique_by=lambda parameter: parameter.name).map(tuple),
    module=texts,
    returns_generator=st.booleans(),
    function_name=_names,
)
_leaves = st.builds(
    DeviceDescription,
    readable=st.booleans(),
    movable=st.booleans(),
    flyable=st.booleans(),
    class_name=texts,
    module=texts,
    excluded=st.booleans(),
)


@st.composite
def _with_components(draw: st.DrawFn, devices: st.SearchStrategy[DeviceDescription]) -> DeviceDescription:
    return replace(draw(_leaves), components=draw(named(devices)))


D = TypeVar("D", DeviceDescription, PlanDescription)


@st.composite
def named(draw: st.DrawFn, things: st.SearchStrategy[D]) -> tuple[D, ...]:
    """Give things different names, in alphabetical order."""
    return tuple(replace(draw(things), name=name) for name in sorted(draw(st.sets(_names, max_size=3))))


_devices = st.recursive(_leaves, _with_components, max_leaves=6)
inventories = st.builds(Inventory, plans=named(_plans), devices=named(_devices))
