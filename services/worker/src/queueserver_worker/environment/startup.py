"""Startup code: files of the user, executed one after the other in one namespace.

Guarantees: files run in the main thread, in alphabetical order, as `__main__`, with `__file__` set to their own
path; tracebacks name the user's files and lines. Whatever they raise, SystemExit and KeyboardInterrupt included,
reaches the caller as an exception. Does not guarantee that modules imported by startup code are read anew: a new
environment is a new process, and that is how edited code is loaded.
"""

import ast
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from queueserver_worker.environment import ipython_standin
from queueserver_worker.environment.failures import StartupError

_SUFFIXES: Final = (".py", ".ipy")


@dataclass(frozen=True)
class StartupSource:
    """Where the startup code is: a directory of files, or one script."""

    path: Path
    is_directory: bool

    def files(self) -> list[Path]:
        """List the files to execute, in order.

        Raises
        ------
        StartupError
            There is nothing to execute.

        """
        return _files_of_directory(self.path) if self.is_directory else _script(self.path)


def new_namespace() -> dict[str, Any]:
    """Make the namespace for startup code and let it be the `__main__` module of this process.

    Code that looks its classes up by module name (pickle, dataclasses, typing) then finds them.
    """
    module = ModuleType("__main__", "Startup code of the queue server's environment.")
    sys.modules["__main__"] = module
    return module.__dict__


def load(source: StartupSource, namespace: dict[str, Any], announce: Callable[[str], None]) -> None:
    """Execute the startup code in the namespace; `announce` is told about each file before it runs.

    Raises
    ------
    StartupError
        There is nothing to execute, or a file can't be read.
    BaseException
        Whatever the code raises.

    """
    files = source.files()
    folder = str(source.path if source.is_directory else source.path.parent)
    sys.path.insert(len(sys.path) if source.is_directory else 0, folder)
    if source.is_directory:
        ipython_standin.offer_in(namespace)
    try:
        for file in files:
            announce(f"loading {file.name}")
            _execute(file, namespace, emulate_ipython=source.is_directory)
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        namespace.pop("__file__", None)


def _execute(file: Path, namespace: dict[str, Any], *, emulate_ipython: bool) -> None:
    try:
        text = file.read_bytes()
    except OSError as error:
        raise StartupError(
            f"The startup file {file} can't be read ({error.strerror}): correct its permissions and open again."
        ) from error
    tree = ast.parse(text, filename=str(file))
    if emulate_ipython:
        tree = ipython_standin.redirect_imports(tree)
    code = compile(tree, str(file), "exec", dont_inherit=True)
    namespace["__file__"] = str(file)
    exec(code, namespace)  # noqa: S102 - executing the user's startup code is what this process is for


def _files_of_directory(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise StartupError(f"The startup directory {folder} does not exist: create it or name another one.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise StartupError(f"The startup directory {folder} can't be read: correct its permissions and open again.")
    files = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    if not files:
        raise StartupError(
            f"The startup directory {folder} has no .py or .ipy file: put your startup code there or name another one."
        )
    return files


def _script(path: Path) -> list[Path]:
    if not path.is_file():
        raise StartupError(f"The startup script {path} does not exist: correct the path or create the file.")
    return [path]
