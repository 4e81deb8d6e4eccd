"""How modules of ours are run as processes: on which Python, and with which import path.

The current directory is not in it: a user's file called typing.py would otherwise replace the library in a process
that is merely started where that file is. `-P` does so from Python 3.11 on, and multiprocessing passes it on to the
processes that it makes; before, the directory is removed before anything is imported. `-I` would do too, but would
remove PYTHONPATH and the packages that a person installed for themselves, which startup code needs.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

from queueserver_process.interpreter import Interpreter

#: The package that is run as the environment process.
ENVIRONMENT = "queueserver_environment"
_HAS_SAFE_PATH = sys.version_info >= (3, 11)
#: What the environment is made of. They need nothing but the standard library and what bluesky brings.
_PACKAGES = (
    ENVIRONMENT,
    "queueserver_inventory",
    "queueserver_long_work",
    "queueserver_process",
    "queueserver_protos",
)
#: Nothing but built-in modules may be imported before the directory is removed.
_RUN = "import sys; sys.path.pop(0); import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def module_command(module: str, *, has_safe_path: bool = _HAS_SAFE_PATH) -> tuple[str, ...]:
    """Return how to run a module as a process, with unbuffered output; its arguments follow."""
    how = ("-P", "-m", module) if has_safe_path else ("-c", _RUN.format(module=module))
    return (sys.executable, "-u", *how)


def command_on(interpreter: Interpreter | None, module: str) -> tuple[str, ...]:
    """Return how to run a module of ours on another interpreter, which has none of our packages; None is our own."""
    if interpreter is None:
        return module_command(module)
    places = {package: str(_directory_of(package).parent) for package in _PACKAGES}
    start = _directory_of(ENVIRONMENT) / "on_other_python.py"
    flags = ("-u", "-P") if interpreter.has_safe_path else ("-u",)
    return (str(interpreter.path), *flags, str(start), json.dumps(places), module)


def _directory_of(package: str) -> Path:
    """Where a package is. It is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent


def leave_out_current_directory() -> None:
    """Import nothing from the current directory from now on; for a module that `python -m` has just started."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path.pop(0)
