"""How a service lives as a process: its event loop, its signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import uvloop
from queueserver_long_work.gc_policy import return_unused_memory


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run a service to its end on the fast event loop; returns its exit code.

    Call it when everything is imported: memory that only the imports needed is returned to the system first.
    """
    return_unused_memory()
    return uvloop.run(main)


def stop_requested() -> asyncio.Event:
    """Event that is set by SIGINT or SIGTERM. Must be called inside the running loop."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, event.set)
    return event
