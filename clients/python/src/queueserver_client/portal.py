"""An event loop on a separate thread, for callers that have none or must not block theirs.

Guarantees: a blocking call works in every thread but the portal's own, also while an event loop runs in the
caller's thread, as in Jupyter. The thread begins with the first call. Ctrl-C in a blocking call cancels the call.
Closing ends the calls of all threads, and calls made afterwards, or at that very moment, are refused. So is every
call in a process that was forked after the first one.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import async_timeout

from queueserver_client.connection import forks

_R = TypeVar("_R")
#: Seconds that calls get to end by themselves when the portal is closed.
_GRACE_SECONDS = 2.0
#: What does not end within this many seconds although it was told to is left behind.
_END_SECONDS = 2.0


class Portal:
    """Runs coroutines on its own thread and waits for them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Held while work is given to the loop, which takes none once it is to stop.
        self._gate = threading.Lock()
        self._closed = False
        self._farewell: Callable[[], Awaitable[None]] | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_closed(self) -> bool:
        """Whether no more calls are taken."""
        return self._closed

    def call(self, work: Coroutine[Any, Any, _R]) -> _R:
        """Run to its end; returns or raises what it does."""
        try:
            future = self._begin(work)
        except RuntimeError:
            work.close()
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            if self._closed:
                raise _closed() from None
            raise
        except BaseException:
            future.cancel()
            raise

    def _begin(self, work: Coroutine[Any, Any, _R]) -> concurrent.futures.Future[_R]:
        forks.require_own_process()
        if threading.current_thread() is self._thread:
            raise RuntimeError("A callback of the client must not call the client: hand the work to another thread.")
        with self._gate:
            if self._closed:
                raise _closed()
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._run, args=(self._loop,), name="queueserver-client", daemon=True
                )
                forks.note_use(self)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, farewell: Callable[[], Awaitable[None]]) -> None:
        """Take no more calls, run ``farewell``, end the running calls, and the thread. Repeating it is harmless.

        If nothing was ever called, there is nothing to run or to end; nor is there in a forked process.
        """
        if forks.is_orphaned():
            return
        if threading.current_thread() is self._thread:
            raise RuntimeError("A callback of the client must not close it: hand that to another thread.")
        with self._gate:
            is_first, self._closed = not self._closed, True
            if is_first and self._loop is not None:
                self._farewell = farewell
                self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        try:
            loop.run_until_complete(self._end())
        finally:
            loop.close()

    async def _end(self) -> None:
        """Make sure that no caller waits for ever: a call whose loop has stopped would never be answered."""
        if self._farewell is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                async with async_timeout.timeout(_END_SECONDS):
                    await self._farewell()
        # What calls are about to raise says more than that they were cancelled.
        await self._wait_for_calls(_GRACE_SECONDS)
        for call in self._calls():
            call.cancel()
        await self._wait_for_calls(_END_SECONDS)
        await asyncio.get_running_loop().shutdown_asyncgens()

    def _calls(self) -> set[asyncio.Task[Any]]:
        return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    async def _wait_for_calls(self, seconds: float) -> None:
        calls = self._calls()
        if calls:
            await asyncio.wait(calls, timeout=seconds)


def _closed() -> RuntimeError:
    return RuntimeError("This client is closed: make a new one.")
