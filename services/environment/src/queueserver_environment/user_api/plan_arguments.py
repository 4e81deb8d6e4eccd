"""Descriptions of plans, as bluesky-queueserver's clients get them, turned back into signatures.

A description is a dictionary of the lists of existing or allowed plans. Its texts are read, never evaluated.
"""

import ast
import inspect
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Dict, Final, List, Literal, Tuple, Union  # noqa: UP035 - typing's print as people know them

from queueserver_inventory.descriptions import ParameterDescription, ParameterKind, PlanDescription
from queueserver_inventory.list_entries import EntryError, plan_of
from queueserver_inventory.parameter_types import ParameterType, TypeKind

_KINDS: Final = {
    ParameterKind.POSITIONAL_ONLY: inspect.Parameter.POSITIONAL_ONLY,
    ParameterKind.VAR_POSITIONAL: inspect.Parameter.VAR_POSITIONAL,
    ParameterKind.KEYWORD_ONLY: inspect.Parameter.KEYWORD_ONLY,
    ParameterKind.VAR_KEYWORD: inspect.Parameter.VAR_KEYWORD,
}
_PLAIN: Final[dict[TypeKind, Any]] = {
    TypeKind.NONE: type(None),
    TypeKind.BOOLEAN: bool,
    TypeKind.INTEGER: int,
    TypeKind.NUMBER: float,
    TypeKind.STRING: str,
    TypeKind.DEVICE: str,
    TypeKind.PLAN: str,
    TypeKind.DEVICE_OR_PLAN: str,
    TypeKind.CALLABLE: str,
}


def bind_plan_arguments(
    *, plan_args: Sequence[Any], plan_kwargs: Mapping[str, Any], plan_parameters: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Bind arguments as a call of the plan would.

    Parameters
    ----------
    plan_args, plan_kwargs
        The arguments.
    plan_parameters
        Description of the plan.

    Raises
    ------
    TypeError
        They don't fit, in Python's words.

    """
    return signature_of(plan_parameters).bind(*plan_args, **plan_kwargs)


def construct_parameters(
    param_list: Sequence[Mapping[str, Any]], *, params_decoded: Mapping[str, Mapping[str, Any]] | None = None
) -> list[inspect.Parameter]:
    """Make the parameters of a signature from the list `parameters` of a description.

    Parameters
    ----------
    param_list
        The descriptions. Names of devices and plans are texts; a list of names is an Enum of that name.
    params_decoded
        For callers that know types and defaults already: by the name of the parameter, a dictionary with `type` and
        `default` that goes before what the description says of them. A type that is missing there is Any, and a
        default none.

    Raises
    ------
    TypeError
        A description can't be understood.

    """
    known = params_decoded or {}
    read = read_description({"parameters": [_without_known(item, known) for item in param_list]})
    return [_parameter(item, known.get(item.name)) for item in read.parameters]


def signature_of(description: Mapping[str, Any]) -> inspect.Signature:
    """Make the signature of a described plan. Raises TypeError if the description can't be understood."""
    return inspect.Signature(construct_parameters(description.get("parameters", [])))


def read_description(description: Mapping[str, Any]) -> PlanDescription:
    """Read a description. Raises TypeError if it can't be understood."""
    try:
        return plan_of(str(description.get("name", "")), description)
    except EntryError as error:
        raise TypeError(f"the description of the plan can't be understood: {error}") from error


def _without_known(item: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out of a description what need not be understood."""
    if not isinstance(item, Mapping) or item.get("name") not in known:
        return item
    return {key: value for key, value in item.items() if key not in ("annotation", "default")}


def _parameter(item: ParameterDescription, known: Mapping[str, Any] | None) -> inspect.Parameter:
    default: Any = inspect.Parameter.empty
    if known is not None:
        annotation, default = known.get("type", Any), known.get("default", default)
    else:
        annotation = _annotation(item.type)
        if item.default_text is not None:
            default = _literal(item.default_text)
    kind = _KINDS.get(item.kind, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Parameter(item.name, kind, default=default, annotation=annotation)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise TypeError(f"the default {text!r} can't be understood: it is not a literal") from error


def _annotation(tree: ParameterType) -> Any:
    if tree.kind is TypeKind.ENUM or tree.listed:
        return Enum(tree.type_name or "Choice", {choice: choice for choice in tree.choices})
    if tree.kind is TypeKind.LITERAL:
        return Literal[tree.values]
    if tree.kind in _PLAIN:
        return _PLAIN[tree.kind]
    inner = tuple(_annotation(part) for part in tree.arguments)
    if tree.kind is TypeKind.UNION:
        return Union[inner]  # noqa: UP007 - of a number that is known only here
    if tree.kind is TypeKind.LIST:
        return List[inner[0] if inner else Any]  # type: ignore[misc] # noqa: UP006 - see the import
    if tree.kind is TypeKind.TUPLE:
        return Tuple[inner]  # noqa: UP006 - see the import
    if tree.kind is TypeKind.MAP:
        return Dict[str, inner[0] if inner else Any]  # type: ignore[misc] # noqa: UP006 - see the import
    return Any
