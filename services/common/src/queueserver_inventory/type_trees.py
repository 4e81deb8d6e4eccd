"""Types of parameters as trees: how unions and literals are put together, so that equal types are equal trees.

A union in normal form has at least two options, none of them a union, none twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from queueserver.common.v1.inventory_pb2 import ParameterType


def union_of(options: Iterable[ParameterType]) -> ParameterType:
    """Any one of some types, in normal form. KIND_UNSPECIFIED if there is none."""
    distinct: list[ParameterType] = []
    for option in flattened(options):
        if option not in distinct:
            distinct.append(option)
    if len(distinct) > 1:
        return ParameterType(kind=ParameterType.KIND_UNION, arguments=distinct)
    return distinct[0] if distinct else ParameterType()


def flattened(types: Iterable[ParameterType]) -> Iterator[ParameterType]:
    """Everything that is possible: types, with the options of a union in place of the union."""
    for tree in types:
        if tree.kind == ParameterType.KIND_UNION:
            yield from flattened(tree.arguments)
        else:
            yield tree


def literal_type(values: Sequence[object]) -> ParameterType:
    """One of some values: of texts these very ones, of other values all of their kind."""
    texts = list(dict.fromkeys(value for value in values if isinstance(value, str)))
    options = [ParameterType(kind=_kind_of(value)) for value in values if not isinstance(value, str)]
    if texts:
        options.insert(0, ParameterType(kind=ParameterType.KIND_ENUM, choices=texts))
    return union_of(options)


def named_lists(tree: ParameterType) -> Iterator[ParameterType]:
    """The nodes of a tree that stand for lists which have a name."""
    if tree.type_name and (tree.listed or tree.kind == ParameterType.KIND_ENUM):
        yield tree
    for part in tree.arguments:
        yield from named_lists(part)


def _kind_of(value: object) -> ParameterType.Kind.ValueType:
    kinds: dict[type, ParameterType.Kind.ValueType] = {
        type(None): ParameterType.KIND_NONE,
        bool: ParameterType.KIND_BOOLEAN,
        int: ParameterType.KIND_INTEGER,
        float: ParameterType.KIND_NUMBER,
    }
    return kinds.get(type(value), ParameterType.KIND_UNSPECIFIED)
