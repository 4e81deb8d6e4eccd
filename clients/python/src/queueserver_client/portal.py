"""An event loop on a thread of its own, for callers that have none or must not block theirs.

Guarantee: a blocking call works in every thread but the portal's own, also while an event loop runs in the
caller's thread, as in Jupyter. Ctrl-C in a blocking call cancels the call.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_R = TypeVar("_R")


class Portal:
    """Runs coroutines on its own thread and waits for them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="queueserver-client", daemon=True)
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        """Whether the thread has ended."""
        return self._loop.is_closed()

    def call(self, work: Coroutine[Any, Any, _R]) -> _R:
        """Run to its end; answers or raises what it does."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("A callback of the client must not call the client: hand the work to another thread.")
        if self._loop.is_closed():
            work.close()
            raise RuntimeError("This client is closed: make a new one.")
        future: Future[_R] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the thread. Repeating it is harmless."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
