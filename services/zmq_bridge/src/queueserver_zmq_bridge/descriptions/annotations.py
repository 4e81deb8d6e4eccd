"""The annotation of a parameter, for clients that evaluate its text as Python.

Guarantees: a text that is given is evaluated by such a client; where there is none that it could evaluate, there is no
annotation at all, which such a client takes for any value.
"""

from __future__ import annotations

import ast
import builtins
import collections.abc
import functools
import typing
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import ModuleType
from typing import Any, Final

from queueserver.common.v1 import inventory_pb2 as pb

Kind = pb.ParameterType.Kind
#: The names of these are listed, or are those of any device, any plan.
_DEVICES: Final = frozenset({Kind.KIND_DEVICE, Kind.KIND_DEVICE_OR_PLAN})
_PLANS: Final = frozenset({Kind.KIND_PLAN, Kind.KIND_DEVICE_OR_PLAN})
_WORDS: Final = frozenset(
    {
        "NoneType",
        "__CALLABLE__",
        "__DEVICE__",
        "__FLYABLE__",
        "__MOVABLE__",
        "__PLAN__",
        "__PLAN_OR_DEVICE__",
        "__READABLE__",
    }
)
_MODULES: Final[Mapping[str, ModuleType]] = {"typing": typing, "collections": collections}
_PROTOCOLS: Final = "bluesky.protocols."
_KEPT_TEXTS: Final = 4096


def annotation_fields(parameter: pb.ParameterDescription, plan_names: AbstractSet[str]) -> dict[str, Any]:
    """What is said about the type: the annotation with its lists, and what converts names to objects.

    ``plan_names`` tell the plans from the devices in a list of both.
    """
    nodes = list(_nodes(parameter.type))
    annotation = _annotation(parameter, nodes, plan_names)
    fields: dict[str, Any] = {"annotation": annotation, **_conversion(nodes)} if annotation else {}
    if parameter.HasField("convert_device_names"):
        fields["convert_device_names"] = parameter.convert_device_names
    if parameter.HasField("convert_plan_names"):
        fields["convert_plan_names"] = parameter.convert_plan_names
    return fields


def _annotation(
    parameter: pb.ParameterDescription, nodes: list[pb.ParameterType], plan_names: AbstractSet[str]
) -> dict[str, Any]:
    if not parameter.type.kind or any(node.device_class for node in nodes):
        return {}
    lists = _lists(nodes, plan_names)
    defined = frozenset(name for named in lists.values() for name in named)
    if not _can_be_evaluated(parameter.annotation, defined):
        return {}
    return {"type": parameter.annotation, **lists}


def _lists(nodes: list[pb.ParameterType], plan_names: AbstractSet[str]) -> dict[str, dict[str, list[str]]]:
    """The lists of names that the annotation refers to, by the name that it has for each."""
    devices: dict[str, list[str]] = {}
    plans: dict[str, list[str]] = {}
    enums: dict[str, list[str]] = {}
    for node in nodes:
        choices = list(node.choices)
        if node.kind == Kind.KIND_ENUM and node.type_name:
            enums[node.type_name] = choices
        elif node.listed and node.kind == Kind.KIND_DEVICE_OR_PLAN:
            devices[node.type_name] = [name for name in choices if name not in plan_names]
            plans[node.type_name] = [name for name in choices if name in plan_names]
        elif node.listed:
            (devices if node.kind == Kind.KIND_DEVICE else plans)[node.type_name] = choices
    named = {"devices": devices, "plans": plans, "enums": enums}
    return {kind: lists for kind, lists in named.items() if lists}


def _conversion(nodes: list[pb.ParameterType]) -> dict[str, bool]:
    """What follows from a type that takes the name of any device, plan or function."""
    found: dict[str, bool] = {}
    for node in nodes:
        if node.kind in _DEVICES and not node.listed:
            found["convert_device_names"] = True
        if node.kind in _PLANS and not node.listed:
            found["convert_plan_names"] = True
        if node.kind == Kind.KIND_CALLABLE:
            found["eval_expressions"] = True
    return found


def _nodes(tree: pb.ParameterType) -> Iterator[pb.ParameterType]:
    """A type and the types of its parts. The fields of a record are not among them: no annotation names them."""
    yield tree
    for part in tree.arguments:
        yield from _nodes(part)
    if tree.HasField("key"):
        yield from _nodes(tree.key)


@functools.lru_cache(maxsize=_KEPT_TEXTS)
def _can_be_evaluated(text: str, defined: frozenset[str]) -> bool:
    """Whether the text has only names that clients know, or that are ``defined`` beside it."""
    try:
        return _is_known(ast.parse(text, mode="eval").body, defined)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_known(node: ast.expr, defined: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in defined or node.id in _WORDS or isinstance(getattr(builtins, node.id, None), type)
    if isinstance(node, ast.Attribute):
        return _is_in_a_module(ast.unparse(node))
    if isinstance(node, ast.BinOp):
        return _is_known(node.left, defined) and _is_known(node.right, defined)
    if isinstance(node, ast.Subscript):
        if ast.unparse(node.value) == "typing.Literal":
            return True
        return _is_known(node.value, defined) and _is_known(node.slice, defined)
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(_is_known(part, defined) for part in node.elts)
    return isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis)


def _is_in_a_module(dotted: str) -> bool:
    if dotted.startswith(_PROTOCOLS):
        return True
    module, *names = dotted.split(".")
    found: Any = _MODULES.get(module)
    for name in names:
        found = getattr(found, name, None)
    return found is not None
