"""The waits for connections while startup code is loaded.

Guarantees: noting a wait never raises and never waits for anything but another thread that notes one. A device is
referred to only while the call that waits for it lasts; afterwards only weakly, until it is connected.
"""

import asyncio
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any, Final

from queueserver_environment.connections.views import Look, Waited, name_of

_TIMEOUTS: Final = (TimeoutError, asyncio.TimeoutError)
"""The second is a class of its own before Python 3.11."""


class Wait:
    """One call that waits for a device or signal."""

    def __init__(self, thing: Any, look: Look, outer: "Wait | None") -> None:
        self.begin: Final = time.monotonic()
        #: How long it lasted; None while it lasts.
        self.seconds: float | None = None
        #: What was connected when it failed for want of connections.
        self.found: Waited | None = None
        #: Calls of ophyd-async within this one that have not ended: it connects each component by a call.
        self.inner: dict[int, Wait] = {}
        self.has_inner = False
        #: Signals whose calls within this one have ended well, and the labels of those that have failed.
        self.connected = 0
        self.failed: list[str] = []
        self.top: Final[Wait] = self if outer is None else outer.top
        self.token: Token[Wait | None] | None = None
        self._thing = thing
        self._look: Look | None = look

    def look(self) -> Waited | None:
        """Tell what of it is connected; None if it has ended."""
        look, thing = self._look, self._thing
        if look is None:
            return None
        if not self.has_inner:
            return look()
        missing = list(self.failed)
        for wait in tuple(self.inner.values()):
            found = None if wait.has_inner else wait.look()
            missing.extend(() if found is None else found.missing)
        return Waited(name_of(thing), self.connected + len(missing), tuple(missing))

    def end(self, *, failed: bool) -> None:
        """Forget the device."""
        self.seconds = time.monotonic() - self.begin
        if failed:
            self.found = self.look()
        self._look = self._thing = None


@dataclass(frozen=True, slots=True)
class _Seen:
    thing: weakref.ref[Any]
    #: What was missing; None if it was connected.
    found: Waited | None


class ConnectionWaits:
    """Those of one process, while its startup code is loaded."""

    def __init__(self) -> None:
        #: Called when a wait begins that is not within another one; may be replaced.
        self.on_begin: Callable[[], None] = lambda: None
        self.closed = False
        #: How long something was waited for, in seconds.
        self.spent = 0.0
        self._noting = threading.RLock()
        self._waits: dict[int, Wait] = {}
        self._seen: dict[int, _Seen] = {}
        self._innermost: ContextVar[Wait | None] = ContextVar("innermost connection wait", default=None)

    def is_waiting(self) -> bool:
        """Tell whether the caller is called by code whose wait is noted."""
        outer = self._innermost.get()
        return outer is not None and outer.seconds is None

    def begin(self, thing: Any, look: Look) -> Wait | None:
        """Note that a call begins to wait for a device or signal; None if waits are no longer noted."""
        if self.closed:
            return None
        outer = self._innermost.get()
        # A task that was begun in a wait may outlast it.
        wait = Wait(thing, look, outer if outer is not None and outer.top.seconds is None else None)
        wait.token = self._innermost.set(wait)
        with self._noting:
            if wait.top is wait:
                self._waits[id(wait)] = wait
            else:
                wait.top.inner[id(wait)] = wait
                wait.top.has_inner = True
                if outer is not None:
                    outer.has_inner = True
        if wait.top is wait:
            self.on_begin()
        return wait

    def end(self, wait: Wait | None, thing: Any, error: BaseException | None = None) -> None:
        """Note that the call has ended."""
        if wait is None:
            return
        if wait.token is not None:
            with suppress(ValueError):  # a coroutine that is closed may be closed in another context
                self._innermost.reset(wait.token)
        failed = error is not None and is_not_connected(error)
        wait.end(failed=failed)
        with self._noting:
            if wait.top is not wait:
                self._end_inner(wait, failed=error is not None)
                return
            self._waits.pop(id(wait), None)
            if not self._waits:
                self.spent += wait.seconds or 0.0
            if failed or error is None:
                self._remember(thing, wait.found)

    def now(self) -> list[Wait]:
        """Tell for what is being waited, the longest first."""
        with self._noting:
            return list(self._waits.values())

    def seen(self) -> tuple[int, int]:
        """Tell how many devices and signals were waited for, and how many of them are not connected."""
        with self._noting:
            seen = list(self._seen.values())
        return len(seen), sum(each.found is not None for each in seen)

    def not_connected(self) -> list[Waited]:
        """Look at those once more for which a wait has failed; tell, by name, which still are not connected."""
        with self._noting:
            seen = list(self._seen.values())
        things = [(each.thing(), each.found) for each in seen if each.found is not None]
        missing = {id(thing): found for thing, found in things if thing is not None and not _is_connected(thing)}
        # A signal is part of what its device lacks.
        told = [found for thing, found in things if id(thing) in missing and id(_root(thing)) not in missing]
        return sorted(told, key=lambda found: found.name)

    def _end_inner(self, wait: Wait, *, failed: bool) -> None:
        top = wait.top
        top.inner.pop(id(wait), None)
        if wait.has_inner:
            return
        if not failed:
            top.connected += 1
        elif wait.found is not None:
            top.failed.extend(wait.found.missing)

    def _remember(self, thing: Any, found: Waited | None) -> None:
        key = id(thing)
        with suppress(TypeError):  # classes with slots may not allow weak references
            self._seen[key] = _Seen(weakref.ref(thing, lambda _: self._seen.pop(key, None)), found)


def is_not_connected(error: BaseException) -> bool:
    """Tell whether an exception is one of those with which waits for connections end."""
    return isinstance(error, _TIMEOUTS) or is_of_ophyd_async(error)


def is_of_ophyd_async(error: BaseException) -> bool:
    """Tell whether it is ophyd-async's exception for devices that are not connected, by either of its names."""
    return any(
        base.__name__ in {"NotConnected", "NotConnectedError"} and base.__module__.startswith("ophyd_async")
        for base in type(error).__mro__
    )


def _is_connected(thing: Any) -> bool:
    """Ask a device of ophyd; those of ophyd-async don't tell, but the last attempt failed."""
    with suppress(BaseException):  # protects the report: a device may be any code
        return bool(thing.connected)
    return False


def _root(thing: Any) -> Any:
    """Find the device that a signal of ophyd belongs to; None if it is by itself."""
    with suppress(BaseException):  # protects the report: a device may be any code
        return thing.root if thing.root is not thing else None
    return None
