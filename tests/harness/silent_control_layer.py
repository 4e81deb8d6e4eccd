"""A control layer for ophyd whose PVs connect when they are told to: EPICS signals without EPICS.

Startup code of tests is made of this file too, so it imports nothing of ours.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from ophyd import _dummy_shim

NO_METADATA: dict[str, Any] = {"status": 0, "severity": 0, "precision": 3, "units": "", "timestamp": 0.0}


class SilentPv:
    """A PV that waits for its connection until it is told to connect, or the time is over."""

    def __init__(self, pvname: str, connected: Callable[..., None], access: Callable[..., None]) -> None:
        self.pvname = pvname
        self._reference_count = 0
        # Of the signal, which goes when nothing else refers to it.
        self._connected = weakref.WeakMethod(connected)
        self._access = weakref.WeakMethod(access)
        self._told = threading.Event()

    @property
    def connected(self) -> bool:
        return self._told.is_set()

    def connect(self) -> None:
        self._told.set()
        access, connected = self._access(), self._connected()
        if access is not None and connected is not None:
            access(True, True, pv=self)
            connected(self.pvname, conn=True, pv=self)

    def wait_for_connection(self, timeout: float | None = None) -> bool:
        return self._told.wait(timeout)

    def get_all_metadata_blocking(self, timeout: float) -> dict[str, Any]:  # noqa: ARG002 - as control layers have it
        return NO_METADATA

    def get_all_metadata_callback(self, callback: Callable[..., None], *, timeout: float) -> None:  # noqa: ARG002
        callback(self.pvname, NO_METADATA)


class SilentLayer:
    """What ophyd takes for its argument `cl`."""

    name = "silent"
    thread_class = threading.Thread

    def __init__(self) -> None:
        self.pvs: dict[str, SilentPv] = {}

    def get_pv(
        self, pvname: str, connection_callback: Callable[..., None], access_callback: Callable[..., None], **_: Any
    ) -> SilentPv:
        self.pvs[pvname] = SilentPv(pvname, connection_callback, access_callback)
        return self.pvs[pvname]

    def release_pvs(self, *_: SilentPv) -> None:
        pass

    def get_dispatcher(self) -> Any:
        return _dummy_shim.get_dispatcher()
