"""Modules of ours are run without the current directory among the places that imports come from.

A file of the user's called typing.py would otherwise take the library's place in a process that is only started
where that file lies. `-P` says so from Python 3.11 on, and multiprocessing passes it on to the processes that it makes;
before, the directory is taken away before anything is imported. `-I` would do too, but would take PYTHONPATH and the
packages that a person installed for themselves with it, which startup code needs.
"""

from __future__ import annotations

import sys

_HAS_SAFE_PATH = sys.version_info >= (3, 11)
#: Nothing may be imported before the directory is gone but what is built in.
_RUN = "import sys; sys.path.pop(0); import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def module_command(module: str, *, has_safe_path: bool = _HAS_SAFE_PATH) -> tuple[str, ...]:
    """Say how to run a module as a process, with what it prints not held back; its arguments follow."""
    how = ("-P", "-m", module) if has_safe_path else ("-c", _RUN.format(module=module))
    return (sys.executable, "-u", *how)


def leave_out_current_directory() -> None:
    """Import nothing from the current directory from now on; for a module that `python -m` has just started."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path.pop(0)
