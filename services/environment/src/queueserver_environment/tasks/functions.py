"""Functions: names of the namespace that are called as they are, with arguments as they come."""

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from queueserver_inventory.access import Access

from queueserver_environment.describe.plan_recognition import is_plan
from queueserver_environment.messages.tasks import FunctionCall
from queueserver_environment.tasks.errors import TaskNotStartedError


def call_function(namespace: dict[str, Any], call: FunctionCall, access: Access) -> Any:
    """Call a function and return what it returns. Names of devices among its arguments stay names.

    Raises
    ------
    TaskNotStartedError
        There is no such function, it may not be called, or the name is something else.
    BaseException
        Whatever the function raises.

    """
    function = _find(namespace, call.name, access)
    return function(*call.args, **call.kwargs)


def _allowed_names(namespace: dict[str, Any], access: Access) -> list[str]:
    # A copy first: other threads of user code may change the namespace meanwhile.
    return [key for key in list(namespace) if isinstance(key, str) and access.allows_function(key)]


def _find(namespace: dict[str, Any], name: str, access: Access) -> Callable[..., Any]:
    if not access.allows_function(name):
        raise TaskNotStartedError(
            f"the user group {access.user_group!r} may not call the function {name!r}; ask for the permission."
        )
    if name not in namespace:
        near = difflib.get_close_matches(name, _allowed_names(namespace, access))
        hint = f"did you mean {' or '.join(near)}?" if near else "define it in the startup code or by a script."
        raise TaskNotStartedError(f"the environment has no function {name!r}; {hint}")
    function: Callable[..., Any] = namespace[name]
    if not callable(function):
        raise TaskNotStartedError(f"{name!r} is not a function but an object of type {type(function).__name__}.")
    if inspect.isgeneratorfunction(function) or is_plan(function):
        raise TaskNotStartedError(f"{name!r} is a plan: add it to the queue instead.")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TaskNotStartedError(f"{name!r} is an async function: let an ordinary function wait for it.")
    return function
