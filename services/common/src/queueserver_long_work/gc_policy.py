"""Memory that a process needed only to start, and the time that garbage collection takes.

Importing leaves many small holes in the heap. glibc reuses them but does not return their pages by itself: after
its imports, the Manager holds a third more memory than it uses.

A full garbage collection examines every object that a process has. A queue of 10,000 items makes it 20 ms long, one
of 100,000 items ten times that, and for so long no request is answered, not even a pause.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Any

#: Objects more than before until the collector examines the youngest, how often it does that until it examines those
#: that survived, and how often that until it examines all: after some 10,000 objects, which takes a few milliseconds.
_THRESHOLDS = (700, 5, 2)
#: Full collections after which it is worth while to examine everything.
_MANY = 20
#: At most this many, of some 10,000 objects each, are set aside, whether or not there is ever time to examine them.
_MOST = 2_000


def return_unused_memory() -> None:
    """Return unused pages of the heap to the system; takes about a millisecond.

    Does nothing where the C library has no such call (it is glibc's).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def settle() -> None:
    """Exempt what was made until now from collection, because it stays: call it when a process has loaded its state.

    The garbage collector no longer examines it, which would cost a service some ten milliseconds now and then.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    # Python waits with a full collection until there is a quarter more than the last one left: this one leaves little.
    gc.collect()
    gc.freeze()
    return_unused_memory()


class IncrementalCollection:
    """Lets each full collection examine only what was made since the one before, however much a process holds.

    What survives one is set aside. It is freed all the same when nothing refers to it any more; only a ring of
    objects that refer to each other stays until :meth:`rest`, or until very much was set aside. For the whole process:
    make one, and close it when the process continues with other work.
    """

    def __init__(self) -> None:
        self._collections = 0
        self._thresholds_before = gc.get_threshold()
        gc.set_threshold(*_THRESHOLDS)
        gc.callbacks.append(self._set_aside)

    def rest(self) -> None:
        """Examine everything, if much was set aside: call it when no client waits and the process holds little."""
        if self._collections >= _MANY:
            settle()
            self._collections = 0

    def close(self) -> None:
        """Let the collector work as before, on everything; what :func:`settle` exempted is examined again."""
        gc.callbacks.remove(self._set_aside)
        gc.set_threshold(*self._thresholds_before)
        gc.unfreeze()

    def _set_aside(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and info["generation"] == len(_THRESHOLDS) - 1:
            self._collections += 1
            if self._collections < _MOST:
                gc.freeze()
            else:
                # There was no rest for very long: the next one examines everything.
                gc.unfreeze()
                self._collections = 0
