"""How a blocking class is made from an asynchronous one: each method is named once, its types follow.

``add = Blocking(AsyncQueue.add)`` is the whole of a blocking method. The type checker sees the parameters of
the asynchronous method and its awaited answer; a test compares the public names of both classes. At run time a plain
function replaces it, with name, signature and documentation, so that help() and completion show it.

An iteration running in another thread ends quietly when the client is closed; one that has not begun is refused.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from queueserver_client.connection import forks
from queueserver_client.errors import QueueServerError
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
    """Stands for a method in a class body, until the class is made."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        """Replace this object by a plain function."""
        run = self._run

        def method(facade: Facade[Any], /, *args: Any, **kwargs: Any) -> Any:
            return run(facade, *args, **kwargs)

        method.__name__, method.__qualname__, method.__module__ = name, f"{owner.__qualname__}.{name}", owner.__module__
        method.__doc__ = blocking_words(self._method.__doc__ or "")
        signature = inspect.signature(self._method)
        signature = signature.replace(return_annotation=self._answer(signature.return_annotation))
        method.__signature__ = signature  # type: ignore[attr-defined] # inspect reads it
        setattr(owner, name, method)

    @overload
    def __get__(self, facade: None, owner: type[Any]) -> Callable[Concatenate[Any, _P], _S]: ...
    @overload
    def __get__(self, facade: Facade[Any], owner: type[Any]) -> Callable[_P, _S]: ...
    def __get__(self, facade: Facade[Any] | None, owner: type[Any]) -> Callable[..., _S]:
        """What the type checker sees. Never called: another function has replaced this object."""
        raise NotImplementedError

    def _answer(self, annotation: Any) -> Any:
        """How the result of the blocking method is annotated."""
        return annotation

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _S:
        raise NotImplementedError


def blocking_words(text: str) -> str:
    """Documentation of an asynchronous method or class, as the blocking one has it."""
    return re.sub(r"\b(?:await |async (?=with|for))", "", text)


class Blocking(_Method[_P, _R]):
    """A coroutine method that is waited for."""

    def __init__(self, method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _R]]) -> None:
        super().__init__(method)

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _R:
        answer: _R = facade._portal.call(self._method(facade._target, *args, **kwargs))  # noqa: SLF001 - one mechanism
        return answer


class Ending(Blocking[_P, None]):
    """A coroutine method that ends something and is waited for, unless the process is forked or the client closed."""

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> None:
        end(facade._portal, self._method(facade._target, *args, **kwargs))  # noqa: SLF001 - one mechanism


class BlockingTo(_Method[_P, _S]):
    """A coroutine method that is waited for; its result gets a blocking view too."""

    def __init__(
        self,
        method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _R]],
        view: Callable[[Portal, _R], _S],
    ) -> None:
        super().__init__(method)
        self._view = view

    def _answer(self, annotation: Any) -> Any:
        del annotation
        return _answer_of(self._view)

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _S:
        portal = facade._portal  # noqa: SLF001 - one mechanism
        return self._view(portal, portal.call(self._method(facade._target, *args, **kwargs)))  # noqa: SLF001 - as above


class Iterating(_Method[_P, Iterator[_R]], Generic[_P, _R]):
    """A method that returns an asynchronous iterator, as a plain one."""

    def __init__(self, method: Callable[Concatenate[Any, _P], AsyncIterator[_R]]) -> None:
        super().__init__(method)

    def _answer(self, annotation: Any) -> Any:
        return re.sub(r"Async(?:Generator\[(.*), None\]|Iterator\[(.*)\])$", r"Iterator[\1\2]", str(annotation))

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> Iterator[_R]:
        source = self._method(facade._target, *args, **kwargs)  # noqa: SLF001 - one mechanism
        return iterate(facade._portal, source)  # noqa: SLF001 - as above


class Viewing(_Method[_P, _S]):
    """A plain method whose result gets a blocking view."""

    def __init__(self, method: Callable[Concatenate[Any, _P], _R], view: Callable[[Portal, _R], _S]) -> None:
        super().__init__(method)
        self._view = view

    def _answer(self, annotation: Any) -> Any:
        del annotation
        return _answer_of(self._view)

    def _run(self, facade: Facade[Any], /, *args: Any, **kwargs: Any) -> _S:
        return self._view(facade._portal, self._method(facade._target, *args, **kwargs))  # noqa: SLF001 - one mechanism


def _answer_of(view: Callable[..., Any]) -> Any:
    """How the result of a view is annotated."""
    return view.__name__ if inspect.isclass(view) else inspect.signature(view).return_annotation


class Following:
    """Whether an iteration is running, so that it ends quietly when the client is closed meanwhile."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._begun = False

    def next(self, source: AsyncIterator[_R]) -> _R:
        """The next entry. Raises StopIteration at the end, and when the client is closed."""
        if self._begun and self._portal.is_closed:
            raise StopIteration
        self._begun = self._begun or not self._portal.is_closed
        try:
            return self._portal.call(_next(source))
        except StopAsyncIteration:
            raise StopIteration from None
        except (QueueServerError, RuntimeError):
            if self._begun and self._portal.is_closed and not forks.is_orphaned():
                raise StopIteration from None
            raise


def iterate(portal: Portal, source: AsyncIterator[_R]) -> Iterator[_R]:
    """The entries of an asynchronous iterator, each waited for."""
    following = Following(portal)
    try:
        while True:
            try:
                entry = following.next(source)
            except StopIteration:
                return
            yield entry
    finally:
        if isinstance(source, AsyncGenerator):
            end(portal, _close(source))


def end(portal: Portal, work: Coroutine[Any, Any, None]) -> None:
    """End something on the client's thread, unless that thread is not ours, or has ended everything itself."""
    if forks.is_orphaned() or portal.is_closed:
        work.close()
        return
    try:
        portal.call(work)
    except RuntimeError:
        if not portal.is_closed:
            raise


async def _next(source: AsyncIterator[_R]) -> _R:
    return await source.__anext__()


async def _close(source: AsyncGenerator[Any, Any]) -> None:
    await source.aclose()
