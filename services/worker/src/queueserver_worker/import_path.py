"""Modules of ours are run without the current directory in the import path.

A user's file called typing.py would otherwise replace the library in a process that is merely started
where that file is. `-P` does so from Python 3.11 on, and multiprocessing passes it on to the processes that it makes;
before, the directory is removed before anything is imported. `-I` would do too, but would remove PYTHONPATH and the
packages that a person installed for themselves, which startup code needs.
"""

from __future__ import annotations

import sys

_HAS_SAFE_PATH = sys.version_info >= (3, 11)
#: Nothing but built-in modules may be imported before the directory is removed.
_RUN = "import sys; sys.path.pop(0); import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def module_command(module: str, *, has_safe_path: bool = _HAS_SAFE_PATH) -> tuple[str, ...]:
    """Return how to run a module as a process, with unbuffered output; its arguments follow."""
    how = ("-P", "-m", module) if has_safe_path else ("-c", _RUN.format(module=module))
    return (sys.executable, "-u", *how)


def leave_out_current_directory() -> None:
    """Import nothing from the current directory from now on; for a module that `python -m` has just started."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path.pop(0)
