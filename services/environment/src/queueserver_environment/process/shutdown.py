"""The end of the environment process, which threads and processes of the startup code must not delay.

Guarantees: whatever was registered for the end of the process runs, threads get PATIENCE_SECONDS to finish, and the
process ends within twice that even if they don't; threads that are left behind are named on the console.
"""

import atexit
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from queueserver_environment.console.standard_streams import streams

PATIENCE_SECONDS: Final = 0.8
"""Twice this fits into the 2 s that a Worker gives an environment when the service is stopped."""


def bound_the_end(code: int) -> int:
    """Make this process end soon; the main thread calls it last. Returns the exit code."""
    threads_are_done = threading.Event()
    # Registered last, so it is called first; and Python calls these functions after it has waited for threads.
    atexit.register(threads_are_done.set)
    # Both are started now, because a process that is ending can't start threads any more.
    _after(PATIENCE_SECONDS, lambda: None if threads_are_done.is_set() else _leave_threads_behind(code))
    _after(2 * PATIENCE_SECONDS, lambda: end_now(code))
    return code


def end_now(code: int) -> NoReturn:
    """End this process without running any more of its code, but with everything it printed."""
    streams.flush()
    os._exit(code)


def _after(seconds: float, act: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def _leave_threads_behind(code: int) -> NoReturn:
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    names = ", ".join(sorted(thread.name for thread in others if not thread.daemon))
    streams.note(f"The environment is closed and ends the threads that are still running: {names}.\n")
    with suppress(BaseException):  # protects the end from functions of the startup code
        atexit._run_exitfuncs()  # noqa: SLF001 - the only way to them that does not wait for threads
    end_now(code)
