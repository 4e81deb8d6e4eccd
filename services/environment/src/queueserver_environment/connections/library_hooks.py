"""Notes the waits of ophyd, ophyd-async and pyepics while startup code is loaded, without changing what they do.

Guarantees: the methods that wait get the same arguments and their callers the same results and exceptions. Methods
are as before when it is over, unless other code has replaced them meanwhile. Libraries that are not installed, or do
not have these methods, are left alone.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import ModuleType
from typing import Any

from queueserver_environment.connections.views import device_view, pv_name, signal_view, single, source_label
from queueserver_environment.connections.waits import ConnectionWaits
from queueserver_environment.startup.startup_imports import after_import

Follow = Callable[[Callable[..., Any], ConnectionWaits], Callable[..., Any]]


@contextmanager
def noting(waits: ConnectionWaits) -> Iterator[None]:
    """Note the waits in `waits`, also those of libraries that are imported meanwhile."""
    replaced: list[tuple[type, str, Any, Any]] = []

    def replace(class_name: str, method: str, follow: Follow, module: ModuleType) -> None:
        with suppress(BaseException):  # protects the import of the library
            cls = getattr(module, class_name)
            original = vars(cls)[method]
            if not waits.closed:
                followed = follow(original, waits)
                setattr(cls, method, followed)
                replaced.append((cls, method, original, followed))

    after_import("ophyd.device", partial(replace, "Device", "wait_for_connection", _device_waits))
    # All waits for single signals come here: those of EpicsSignal, of reading one, and of lazy components.
    after_import("ophyd.signal", partial(replace, "EpicsSignalBase", "_ensure_connected", _signal_waits))
    after_import("ophyd_async.core", partial(replace, "Device", "connect", _async_device_waits))
    # `caget` and `get_pv` come here too.
    after_import("epics.pv", partial(replace, "PV", "wait_for_connection", _pv_waits))
    try:
        yield
    finally:
        waits.closed = True
        for cls, method, original, followed in replaced:
            if vars(cls).get(method) is followed:
                setattr(cls, method, original)


def _device_waits(original: Callable[..., Any], waits: ConnectionWaits) -> Callable[..., Any]:
    @functools.wraps(original)
    def wait_for_connection(self: Any, *args: Any, **kwargs: Any) -> Any:
        connection_wait = waits.begin(self, lambda: device_view(self))
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            waits.end(connection_wait, self, error)
            raise
        waits.end(connection_wait, self)
        return result

    return wait_for_connection


def _signal_waits(original: Callable[..., Any], waits: ConnectionWaits) -> Callable[..., Any]:
    @functools.wraps(original)
    def ensure_connected(self: Any, *pvs: Any, **kwargs: Any) -> Any:
        connection_wait = waits.begin(self, lambda: signal_view(self, pvs))
        try:
            result = original(self, *pvs, **kwargs)
        except BaseException as error:
            waits.end(connection_wait, self, error)
            raise
        waits.end(connection_wait, self)
        return result

    return ensure_connected


def _pv_waits(original: Callable[..., Any], waits: ConnectionWaits) -> Callable[..., Any]:
    @functools.wraps(original)
    def wait_for_connection(self: Any, *args: Any, **kwargs: Any) -> Any:
        # A signal of ophyd is waited for itself; one that is connected is not waited for.
        if waits.is_waiting() or self.connected:
            return original(self, *args, **kwargs)
        connection_wait = waits.begin(self, lambda: single(pv_name(self)))
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            waits.end(connection_wait, self, error)
            raise
        waits.end(connection_wait, self, None if result else TimeoutError())
        return result

    return wait_for_connection


def _async_device_waits(original: Callable[..., Any], waits: ConnectionWaits) -> Callable[..., Any]:
    @functools.wraps(original)
    async def connect(self: Any, mock: Any = False, *args: Any, **kwargs: Any) -> Any:
        # Simulated devices wait for nothing.
        connection_wait = None if mock else waits.begin(self, lambda: single(source_label(self)))
        try:
            result = await original(self, mock, *args, **kwargs)
        except BaseException as error:
            waits.end(connection_wait, self, error)
            raise
        waits.end(connection_wait, self)
        return result

    return connect
