"""What kind of process this is, for code that runs in a worker and elsewhere.

The answers live in the environment variables that bluesky-queueserver uses, so both packages, and the processes that
user code starts, give the same.
"""

import os
import sys
from typing import Final

_WORKER: Final = "_QSERVER_RE_WORKER_ACTIVE"
_KERNEL: Final = "_QSERVER_RUNNING_IPYTHON_KERNEL"
_FALSE: Final = frozenset({"", "0", "f", "false", "n", "no", "off"})


def is_re_worker_active() -> bool:
    """Tell whether the code runs in the environment of a queue server, and not for a person at a terminal."""
    return _is_true(_WORKER)


def set_re_worker_active() -> None:
    """Let `is_re_worker_active` say yes: for tests of startup code."""
    os.environ[_WORKER] = "1"


def clear_re_worker_active() -> None:
    """Let `is_re_worker_active` say no: for tests of startup code."""
    os.environ.pop(_WORKER, None)


def is_ipython_mode() -> bool:
    """Tell whether the code runs in IPython: in an environment its IPython kernel, elsewhere any IPython."""
    if is_re_worker_active() and _KERNEL in os.environ:
        return _is_true(_KERNEL)
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def set_ipython_mode(using_ipython: bool) -> None:
    """Let `is_ipython_mode` say yes or no in an environment: for tests of startup code."""
    os.environ[_KERNEL] = "1" if using_ipython else "0"


def clear_ipython_mode() -> None:
    """Let `is_ipython_mode` look for IPython again: for tests of startup code."""
    os.environ.pop(_KERNEL, None)


def _is_true(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() not in _FALSE
