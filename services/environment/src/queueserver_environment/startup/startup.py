"""Startup code: files of the user, executed one after the other in one namespace, or a module of the user's.

Guarantees: files run in the main thread, in alphabetical order, as `__main__`, with `__file__` set to their own
path; tracebacks name the user's files and lines. Whatever they raise, SystemExit and KeyboardInterrupt included,
reaches the caller as an exception. A child process that the code forks and that comes to the end of the code ends
there. Code of a directory, which is written for IPython, gets a stand-in for it.
"""

import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from queueserver_environment.connections.reporter import connections_reported
from queueserver_environment.console.standard_streams import streams
from queueserver_environment.plans.failures import StartupError, user_traceback
from queueserver_environment.process.shutdown import end_now
from queueserver_environment.startup import ipython_standin
from queueserver_environment.startup.ipy_files import to_python
from queueserver_environment.startup.ipython_autoawait import do_without_shell
from queueserver_environment.startup.startup_imports import local_modules
from queueserver_environment.startup.startup_sources import StartupSource

_OF_THE_MODULE: Final = frozenset(
    {
        *("__name__", "__file__", "__spec__", "__loader__", "__package__", "__path__", "__cached__", "__doc__"),
        *("__builtins__", "__annotations__", "__all__", "__getattr__", "__dir__"),
        # These hold the hints of a module from Python 3.14 on.
        *("__annotate__", "__conditional_annotations__"),
    }
)


def new_namespace() -> dict[str, Any]:
    """Make the namespace for startup code and install it as the `__main__` module of this process.

    Code that looks its classes up by module name (pickle, dataclasses, typing) then finds them.
    """
    module = ModuleType("__main__", "Startup code of the queue server's environment.")
    # A process that multiprocessing spawns would otherwise execute the startup file once more, because it has a name.
    module.__spec__ = ModuleSpec("__main__", None)
    sys.modules["__main__"] = module
    return module.__dict__


def load(
    source: StartupSource,
    namespace: dict[str, Any],
    announce: Callable[[str], None],
    show: Callable[[str], None] = lambda _: None,
) -> None:
    """Execute the startup code in the namespace.

    Parameters
    ----------
    source, namespace
        What is executed, and where.
    announce
        Called with a text about each file before it runs.
    show
        Called at most once a second, perhaps in another thread, with a text about the connections that the code waits
        for, which replaces the last text; never after the end.

    Raises
    ------
    StartupError
        There is nothing to execute, or a file can't be read.
    BaseException
        Whatever the code raises.

    """
    process = os.getpid()
    do_without_shell()
    # The supervisor's arguments for this process must not reach the argument parsers of user code.
    sys.argv[:] = [source.where]
    try:
        with connections_reported(announce, show) as announce_stage:
            _load(source, namespace, announce_stage)
    except BaseException as error:
        if os.getpid() != process:
            streams.note(user_traceback(error))
            end_now(1)
        raise
    if os.getpid() != process:
        end_now(0)


def execute_file(file: Path, namespace: dict[str, Any]) -> None:
    """Execute one file in a namespace; its `__file__` is set meanwhile, and that of the first file stays.

    Libraries take a process whose `__main__` has no file for an interactive one.

    Raises
    ------
    StartupError
        It can't be read or is not text.
    BaseException
        Whatever the code raises.

    """
    code = _compiled(file)
    outer = namespace.get("__file__")
    namespace["__file__"] = str(file)
    try:
        exec(code, namespace)  # noqa: S102 - executing the user's startup code is what this process is for
    finally:
        namespace["__file__"] = str(file) if outer is None else outer


def _load(source: StartupSource, namespace: dict[str, Any], announce: Callable[[str], None]) -> None:
    if source.kind == "module":
        announce(f"importing {source.where}")
        names = vars(_import(source.where))
        namespace.update({name: value for name, value in names.items() if name not in _OF_THE_MODULE})
        if (file := names.get("__file__")) is not None:
            namespace["__file__"] = file
        return
    files = source.files()
    if source.kind == "directory":
        ipython_standin.offer_in(namespace, execute_file, source.folder)
    with local_modules.importable(source.folder, first=source.kind == "script"):
        for file in files:
            announce(f"loading {file.name}")
            execute_file(file, namespace)


def _import(name: str) -> ModuleType:
    try:
        # Not importlib.import_module, whose frame would appear in tracebacks.
        __import__(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise StartupError(
            f"There is no module {error.name}: install it where the Worker runs, or correct the name of the "
            f"startup module ({name})."
        ) from error
    return sys.modules[name]


def _compiled(file: Path) -> Any:
    try:
        text = file.read_bytes()
    except OSError as error:
        raise StartupError(
            f"The startup file {file} can't be read ({error.strerror}): correct its permissions and try again."
        ) from error
    if b"\0" in text:
        raise StartupError(
            f"The startup file {file} has zero bytes, so it is not a Python file: correct it and try again."
        )
    source = to_python(text, str(file)) if file.suffix == ".ipy" else text
    return compile(source, str(file), "exec", dont_inherit=True)
