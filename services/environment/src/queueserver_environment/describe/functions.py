"""Functions of a namespace that a task can call: what a person needs to call one.

Guarantees: a function that can't be described is listed by its name alone; no list is longer than the bounds.
"""

import functools
import inspect
import sys
from collections.abc import Mapping
from typing import Any, Final

from queueserver_inventory.descriptions import FunctionDescription

from queueserver_environment.describe.plan_recognition import means_to_be_plan
from queueserver_environment.plans.signatures import signature_text

MAX_FUNCTIONS: Final = 1_000
"""Functions that are listed; those of Python's own modules are the first to be left out."""
MAX_TEXT: Final = 200
"""Characters of a signature and of a description."""


def describe_functions(callables: Mapping[str, Any]) -> tuple[FunctionDescription, ...]:
    """Describe what of some callables, which are not plans, is a function; by name in alphabetical order."""
    names = [name for name, value in callables.items() if _is_function(value)]
    kept = sorted(names, key=lambda name: (is_of_python(callables[name]), name))[:MAX_FUNCTIONS]
    return tuple(_describe(name, callables[name]) for name in sorted(kept))


def is_of_python(value: object) -> bool:
    """Tell whether something comes from Python's own modules."""
    try:
        module = getattr(value, "__module__", None)
        return not isinstance(module, str) or module.partition(".")[0] in sys.stdlib_module_names
    except BaseException:  # noqa: BLE001 - protects the inventory from an object whose attributes raise
        return True


def _is_function(value: Any) -> bool:
    try:
        if not isinstance(value, functools.partial) and not inspect.isroutine(value):
            return False
        is_async = inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)
        return not is_async and not inspect.isgeneratorfunction(value) and not means_to_be_plan(value)
    except BaseException:  # noqa: BLE001 - protects the inventory from an object that only looks like a function
        return False


def _describe(name: str, function: Any) -> FunctionDescription:
    return FunctionDescription(name=name, signature=_signature(function), description=_first_line(function))


def _signature(function: Any) -> str:
    try:
        return _text(signature_text(function))
    except BaseException:  # noqa: BLE001 - builtins have none, and defaults may have a repr that raises
        return ""


def _first_line(function: Any) -> str:
    try:
        lines = (inspect.getdoc(function) or "").strip().splitlines()
        return _text(lines[0]) if lines else ""
    except BaseException:  # noqa: BLE001 - as above
        return ""


def _text(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
