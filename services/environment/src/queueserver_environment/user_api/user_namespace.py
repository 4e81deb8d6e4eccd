"""The namespace of the startup code, for functions in modules, which do not see it by themselves."""

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from queueserver_environment.plans.signatures import signature_of

Function = TypeVar("Function", bound=Callable[..., Any])


class UserNamespace:
    """Holds the namespace of this process."""

    def __init__(self) -> None:
        self._user_ns: dict[str, Any] = {}

    @property
    def user_ns(self) -> dict[str, Any]:
        """The namespace; empty where no startup code was loaded."""
        return self._user_ns

    @property
    def use_ipython(self) -> bool:
        """Whether the namespace is that of an IPython shell: never."""
        return False

    def set_user_namespace(self, *, user_ns: dict[str, Any], use_ipython: bool = False) -> None:
        """Use another namespace. Raises TypeError if it is not a dictionary."""
        del use_ipython
        if not isinstance(user_ns, dict):
            raise TypeError(f"user_ns must be a dictionary, not {type(user_ns).__name__}")
        self._user_ns = user_ns


global_user_namespace = UserNamespace()
"""That of this process."""


def set_user_ns(func: Function) -> Function:
    """Decorate a function of a module: it gets the namespace of the startup code as its argument `user_ns`.

    A parameter `ipython`, if it has one, is None. Callers give neither, and the signature does not show them.
    """
    signature = signature_of(func)
    hidden = ["user_ns", *(["ipython"] if "ipython" in signature.parameters else [])]

    def given() -> dict[str, Any]:
        values = {"user_ns": global_user_namespace.user_ns, "ipython": None}
        return {name: values[name] for name in hidden}

    if inspect.isgeneratorfunction(func):

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            return (yield from func(*args, **{**kwargs, **given()}))

    else:

        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return func(*args, **{**kwargs, **given()})

    shown = [item for name, item in signature.parameters.items() if name not in hidden]
    wrapper.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined] # what inspect looks for
    return wrapper  # type: ignore[return-value] # with another signature, which its type can't tell
