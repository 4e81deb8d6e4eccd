"""Plans: which objects are plans, and how to call them.

Guarantees: a description is made without calling the plan; a default that is no Python literal is still shown as
its repr. Types come from the function's own hints, evaluated with its own globals.
"""

import functools
import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, Final

from queueserver.common.v1 import inventory_pb2 as pb

from queueserver_worker.environment.describe.annotations import annotation_text, parameter_type, resolve
from queueserver_worker.environment.describe.docstrings import PlanText, read_docstring
from queueserver_worker.environment.failures import shorten

MAX_DEFAULT: Final = 2_000
"""Longest text of a default, in characters."""
_MARK: Final = "_is_plan_"
# Signatures and types are needed again for each call of a plan, and working them out takes longer than a fast plan.
_KEPT: Final = 1024
_KINDS: Final = {
    inspect.Parameter.POSITIONAL_ONLY: pb.PARAMETER_KIND_POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD: pb.PARAMETER_KIND_POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL: pb.PARAMETER_KIND_VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY: pb.PARAMETER_KIND_KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD: pb.PARAMETER_KIND_VAR_KEYWORD,
}

Plan = Callable[..., Any]


def is_plan(value: object) -> bool:
    """Tell whether an object is a plan: a generator function, or marked by bluesky's decorator."""
    if not isinstance(value, (FunctionType, MethodType, functools.partial)):
        return False
    return inspect.isgeneratorfunction(value) or getattr(value, _MARK, False) is True


def describe_plan(name: str, plan: Plan) -> pb.PlanDescription:
    """Describe a plan.

    Raises
    ------
    ValueError, TypeError
        The plan has no signature.

    """
    text = read_docstring(plan.__doc__ if not isinstance(plan, functools.partial) else plan.func.__doc__)
    hints = _hints(plan)
    return pb.PlanDescription(
        name=name,
        description=text.summary,
        parameters=[_describe_parameter(parameter, hints, text) for parameter in signature(plan).parameters.values()],
        module=getattr(plan, "__module__", None) or "",
        is_generator=inspect.isgeneratorfunction(plan),
    )


@functools.lru_cache(maxsize=_KEPT)
def signature(plan: Plan) -> inspect.Signature:
    """Return the signature by which the plan can be called.

    Raises
    ------
    ValueError, TypeError
        The plan has none.

    """
    return inspect.signature(plan)


@functools.lru_cache(maxsize=_KEPT)
def parameter_types(plan: Plan) -> dict[str, pb.ParameterType]:
    """Return what each parameter takes, by its name."""
    return {name: parameter_type(hint) for name, hint in _hints(plan).items()}


def _hints(plan: Plan) -> dict[str, Any]:
    namespace = _globals(plan)
    return {name: resolve(item.annotation, namespace) for name, item in signature(plan).parameters.items()}


def _globals(plan: Plan) -> dict[str, Any]:
    function: Any = inspect.unwrap(plan)
    while isinstance(function, functools.partial):
        function = inspect.unwrap(function.func)
    found: dict[str, Any] = getattr(function, "__globals__", {})
    return found


def _describe_parameter(parameter: inspect.Parameter, hints: dict[str, Any], text: PlanText) -> pb.ParameterDescription:
    hint = hints[parameter.name]
    description = pb.ParameterDescription(
        name=parameter.name,
        kind=_KINDS[parameter.kind],
        type=parameter_type(hint),
        annotation=annotation_text(hint),
        description=shorten(text.parameters.get(parameter.name, ""), 10 * MAX_DEFAULT),
    )
    if parameter.default is not inspect.Parameter.empty:
        description.default_text = _default_text(parameter.default)
    return description


def _default_text(default: object) -> str:
    try:
        return shorten(repr(default), MAX_DEFAULT)
    except Exception:  # noqa: BLE001 - protects the inventory from a broken __repr__ in user code
        return f"<{type(default).__name__}>"
