"""How a blocking class is made of an asynchronous one: each method is named once, its types follow.

``add = Blocking(AsyncQueue.add)`` is the whole of a blocking method. The type checker sees the parameters of
the asynchronous method and its awaited answer; a test compares the public names of both classes.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from queueserver_client import forks
from queueserver_client.portal import Portal

_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S")
_A = TypeVar("_A")


class Facade(Generic[_A]):
    """A blocking view of an asynchronous object."""

    def __init__(self, portal: Portal, target: _A) -> None:
        self._portal = portal
        self._target = target


class _Method(Generic[_P, _S]):
    """A descriptor that binds like a method."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, facade: None, owner: type[Any]) -> _Method[_P, _S]: ...
    @overload
    def __get__(self, facade: Facade[Any], owner: type[Any]) -> Callable[_P, _S]: ...
    def __get__(self, facade: Facade[Any] | None, owner: type[Any]) -> _Method[_P, _S] | Callable[_P, _S]:
        if facade is None:
            return self
        bound = functools.partial(self._run, facade)
        return functools.update_wrapper(bound, self._method)

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _S:
        raise NotImplementedError


class Blocking(_Method[_P, _R]):
    """A coroutine method, waited for."""

    def __init__(self, method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _R]]) -> None:
        super().__init__(method)

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _R:
        answer: _R = facade._portal.call(self._method(facade._target, *args, **kwargs))  # noqa: SLF001 - one mechanism
        return answer


class Ending(Blocking[_P, None]):
    """A coroutine method that ends something, waited for; does nothing in a forked process."""

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> None:
        if not forks.is_orphaned():
            super()._run(facade, *args, **kwargs)


class BlockingTo(_Method[_P, _S]):
    """A coroutine method, waited for; what it answers gets a blocking view too."""

    def __init__(
        self,
        method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _R]],
        view: Callable[[Portal, _R], _S],
    ) -> None:
        super().__init__(method)
        self._view = view

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _S:
        portal = facade._portal  # noqa: SLF001 - one mechanism
        return self._view(portal, portal.call(self._method(facade._target, *args, **kwargs)))  # noqa: SLF001 - as above


class Iterating(_Method[_P, Iterator[_R]], Generic[_P, _R]):
    """A method that answers an asynchronous iterator, as a plain one."""

    def __init__(self, method: Callable[Concatenate[Any, _P], AsyncIterator[_R]]) -> None:
        super().__init__(method)

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> Iterator[_R]:
        source = self._method(facade._target, *args, **kwargs)  # noqa: SLF001 - one mechanism
        return iterate(facade._portal, source)  # noqa: SLF001 - as above


class Viewing(_Method[_P, _S]):
    """A plain method whose answer gets a blocking view."""

    def __init__(self, method: Callable[Concatenate[Any, _P], _R], view: Callable[[Portal, _R], _S]) -> None:
        super().__init__(method)
        self._view = view

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _S:
        return self._view(facade._portal, self._method(facade._target, *args, **kwargs))  # noqa: SLF001 - one mechanism


def iterate(portal: Portal, source: AsyncIterator[_R]) -> Iterator[_R]:
    """The entries of an asynchronous iterator, each waited for."""
    try:
        while True:
            try:
                entry = portal.call(_next(source))
            except StopAsyncIteration:
                return
            yield entry
    finally:
        if isinstance(source, AsyncGenerator) and not forks.is_orphaned():
            portal.call(_close(source))


async def _next(source: AsyncIterator[_R]) -> _R:
    return await source.__anext__()


async def _close(source: AsyncGenerator[Any, Any]) -> None:
    await source.aclose()
