"""Which objects are plans: by what they are, by what they wrap and by what they declare, never by calling them.

A plan is a generator function; anything that bluesky's `@plan` has marked; a function, or a callable object, that
declares to return messages (`-> MsgGenerator`); and what `functools.wraps` says is one of these, as most decorators do,
unless it is known to return something else. Guarantees: the check never raises, whatever an object does.
"""

import collections.abc
import contextlib
import functools
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from types import CellType, FunctionType, MethodType
from typing import Any, Final

from queueserver_environment.describe.devices import is_device
from queueserver_environment.describe.types.annotations import resolve, unwrapped
from queueserver_environment.plans.signatures import hints_of

_MARK: Final = "_is_plan_"
_FUNCTIONS: Final = (FunctionType, MethodType, functools.partial)
_MESSAGES_AS_TEXT: Final = re.compile(r"\bMsgGenerator\b|\b\w+\[\s*(?:\w+\.)*Msg\b")
_MOST_LEVELS: Final = 100
_DECLARE: Final = "say `-> MsgGenerator` (from bluesky.utils) if it returns the messages of a plan"


def is_plan(value: object) -> bool:
    """Tell whether an object is a plan."""
    try:
        return _is_plan(value)
    except BaseException:  # noqa: BLE001 - user code may raise anything when it is looked at
        return False


def why_no_plan(name: str, value: object) -> str:
    """Say why a callable is not a plan, in one sentence; empty for everything else."""
    try:
        if not callable(value) or _is_plan(value) or is_device(value):
            return ""
        what, reason = _reason(value)
    except BaseException:  # noqa: BLE001 - as above
        return ""
    return f"There is a {what} {name}, but it is not a plan: {reason}."


def means_to_be_plan(value: object) -> bool:
    """Tell whether something that is not a plan claims to be one, so that its author has to be told."""
    try:
        levels = list(_levels(value))
        return not _is_plan(value) and any(map(_declares_messages, levels)) and not is_device(value)
    except BaseException:  # noqa: BLE001 - as above
        return False


def _is_plan(value: object) -> bool:
    if not callable(value) or isinstance(value, type):
        return False
    if not isinstance(value, _FUNCTIONS):
        return _is_marked(value) or (_declares_messages(_call_of(value)) and not is_device(value))
    levels = list(_levels(value))
    return any(map(_says_plan, levels)) and not any(map(_is_async, levels))


def _levels(value: Any) -> Iterator[Any]:
    """List what a plan is made of, from outside in: partial functions, methods, what is wrapped."""
    for _ in range(_MOST_LEVELS):
        yield value
        if isinstance(value, functools.partial):
            value = value.func
        elif isinstance(value, MethodType):
            value = value.__func__
        elif isinstance(value, FunctionType):
            if "__wrapped__" not in vars(value) or _returns_something_else(value):
                return
            value = value.__wrapped__  # type: ignore[attr-defined] # it is there
        else:
            return


def _says_plan(level: Any) -> bool:
    if isinstance(level, FunctionType):
        return _is_marked(level) or inspect.isgeneratorfunction(level) or _declares_messages(level)
    # What a partial function or a decorator contains may be an object.
    return not isinstance(level, (functools.partial, MethodType, type)) and _is_plan(level)


def _is_marked(value: object) -> bool:
    return getattr(value, _MARK, False) is True


def _is_async(level: object) -> bool:
    return inspect.iscoroutinefunction(level) or inspect.isasyncgenfunction(level)


def _call_of(value: object) -> Any:
    """Return the method by which an object is called, if its author wrote it; preprocessors of bluesky are no plans."""
    call = getattr(type(value), "__call__", None)  # noqa: B004 - it is wanted
    return call if isinstance(call, FunctionType) and not call.__module__.startswith("bluesky.") else None


def _declares_messages(function: object) -> bool:
    if not isinstance(function, FunctionType):
        return False
    hint = unwrapped(resolve(hints_of(function).get("return"), function.__globals__))
    if isinstance(hint, str):
        return _MESSAGES_AS_TEXT.search(hint) is not None
    if isinstance(hint, type) and hint.__module__ == "bluesky.utils" and hint.__name__ == "Plan":
        return True
    origin, (first, *_) = typing.get_origin(hint), (*typing.get_args(hint), None)
    is_iterable = isinstance(origin, type) and issubclass(origin, collections.abc.Iterable)
    return is_iterable and getattr(first, "__name__", "") == "Msg" and first.__module__.startswith("bluesky")


def _returns_something_else(wrapper: FunctionType) -> bool:
    """Tell whether a function is known to return something else than what it wraps."""
    return wrapper.__code__.co_filename == contextlib.__file__ or _uses_run_engine(wrapper)


def _uses_run_engine(function: FunctionType) -> bool:
    named = (function.__globals__.get(name) for name in function.__code__.co_names)
    kept = (_contents(cell) for cell in function.__closure__ or ())
    return any(_is_run_engine(type(value)) for value in (*named, *kept))


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


def _is_run_engine(cls: type) -> bool:
    engine = getattr(sys.modules.get("bluesky.run_engine"), "RunEngine", None)
    return engine is not None and engine in type.__getattribute__(cls, "__mro__")


def _reason(value: Any) -> tuple[str, str]:
    if isinstance(value, type):
        return "class", "make a plan that uses it"
    levels = list(_levels(value))
    if any(map(_is_async, levels)):
        return "function", "it is async; write `def` in place of `async def`, and `yield from` in place of `await`"
    if not isinstance(value, _FUNCTIONS):
        kind = type(value).__name__
        if kind == "_lru_cache_wrapper":
            return "function", "a cache would give away the same generator twice; remove the cache"
        return "callable object", f"its class {kind} does not say so; {_DECLARE}"
    last = levels[-1]
    if isinstance(last, FunctionType) and last.__code__.co_filename == contextlib.__file__:
        return "function", "it is a context manager"
    if isinstance(last, FunctionType) and _uses_run_engine(last):
        return "function", "it calls the RunEngine itself; a plan leaves that to the server, and contains `yield from`"
    return "function", f"it contains no `yield`; {_DECLARE}, or mark it with `@plan`"
