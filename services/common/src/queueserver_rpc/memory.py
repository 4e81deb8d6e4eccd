"""Memory that a process needed only to start.

Importing leaves many small holes in the heap. glibc reuses them but does not give their pages back by itself: after
its imports, the Manager holds a third more memory than it uses.
"""

from __future__ import annotations

import ctypes
import gc


def return_unused_memory() -> None:
    """Give unused pages of the heap back to the system; takes about a millisecond.

    Does nothing where the C library has no such call (it is glibc's).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def settle() -> None:
    """Put what was made until now out of the way, because it stays: call it when a process has loaded its state.

    The garbage collector no longer looks at it, which would cost a service some ten milliseconds now and then.
    """
    gc.collect()
    gc.freeze()
    return_unused_memory()
