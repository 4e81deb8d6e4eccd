"""Where startup code comes from: a directory of files, one script, or an installed module.

A source knows which files are executed, in which order, where modules that the code imports may be beside it, and
which frames of a traceback belong to its authors.
"""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from queueserver_environment.plans.failures import StartupError

Kind = Literal["directory", "script", "module"]
_SUFFIXES: Final = (".py", ".ipy")
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True)
class StartupSource:
    """A directory or a script by its path, or a module by its name."""

    kind: Kind
    where: str

    @property
    def folder(self) -> Path | None:
        """Directory in which the code may import modules of its own; None for a module, which needs none."""
        if self.kind == "module":
            return None
        path = Path(self.where)
        return path if self.kind == "directory" else path.parent

    @property
    def root(self) -> Path | None:
        """Directory or file of the code; of a module in a package, the directory of that package. None if not known."""
        return _root_of_module(self.where) if self.kind == "module" else Path(self.where)

    def files(self) -> list[Path]:
        """List the files to execute, in order; none for a module, which is imported.

        Raises
        ------
        StartupError
            There is nothing to execute.

        """
        if self.kind == "directory":
            return _files_of_directory(Path(self.where))
        return _script(Path(self.where)) if self.kind == "script" else []

    def owns(self, filename: str) -> bool:
        """Tell whether a file is part of the startup code: beside it or below it, and not installed."""
        root = self.folder or _root_of_module(self.where)
        if root is None:
            return False
        if root.is_file():
            return filename == str(root)
        inside = filename.removeprefix(f"{root}{os.sep}")
        return inside != filename and _INSTALLED.isdisjoint(Path(inside).parts)


def source_of(kind: Kind, where: str) -> StartupSource:
    """Make a source; a relative path becomes absolute."""
    return StartupSource(kind, where if kind == "module" else str(Path(where).absolute()))


def _files_of_directory(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise StartupError(f"The startup directory {folder} does not exist: create it or name another one.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise StartupError(f"The startup directory {folder} can't be read: correct its permissions and try again.")
    files = sorted(path for path in folder.iterdir() if _is_startup_file(path))
    if not files:
        raise StartupError(
            f"The startup directory {folder} has no .py or .ipy file: put your startup code there or name another one."
        )
    return files


def _is_startup_file(path: Path) -> bool:
    # Editors and network shares leave hidden files beside the ones they belong to, with the same ending.
    return path.suffix in _SUFFIXES and not path.name.startswith(".") and path.is_file()


def _script(path: Path) -> list[Path]:
    if not path.is_file():
        raise StartupError(f"The startup script {path} does not exist: correct the path or create the file.")
    return [path]


def _root_of_module(name: str) -> Path | None:
    """Find the directory of the package that a module belongs to, or the file of a module outside of packages."""
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]
    return Path(places[0]) if places else None
