"""Modules beside startup code, and third-party modules that are adapted once they are imported.

Guarantees: while startup code or a script is loaded, modules in its folder can be imported. They stay known
afterwards, so that an import inside a plan gives the same objects; but when the next code is loaded and one of their
files has changed, all of them are imported again.
Does not guarantee that objects of the old modules disappear from namespaces that already have them.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_Stamp = tuple[int, int]
Adapt = Callable[[ModuleType], None]


class LocalModules:
    """The modules that were imported from the folder of the startup code."""

    def __init__(self) -> None:
        self._stamps: dict[str, _Stamp | None] = {}

    @contextmanager
    def importable(self, folder: Path | None, *, first: bool) -> Iterator[None]:
        """Let code import modules from a folder: before installed ones, or only what is not installed."""
        if folder is None:
            yield
            return
        self._forget_if_changed()
        place = str(folder)
        added = first or place not in sys.path
        if added:
            sys.path.insert(0 if first else len(sys.path), place)
        try:
            yield
        finally:
            if added and place in sys.path:
                sys.path.remove(place)
            self._remember(place)

    def _forget_if_changed(self) -> None:
        importlib.invalidate_caches()
        files = {name: _file_of(sys.modules.get(name)) for name in self._stamps}
        changed = [name for name, stamp in self._stamps.items() if _stamp(files[name]) != stamp]
        for name in changed:
            _drop_compiled(files[name])
        for name in self._stamps if changed else ():
            sys.modules.pop(name, None)
        if changed:
            self._stamps.clear()

    def _remember(self, place: str) -> None:
        for name, module in list(sys.modules.items()):
            file = _file_of(module)
            if name not in self._stamps and _is_local(name, file, place):
                self._stamps[name] = _stamp(file)


local_modules: Final = LocalModules()
"""Those of this process, which has only one `sys.modules`."""


def after_import(name: str, adapt: Adapt) -> None:
    """Have a module adapted when it has been imported, or now if it has been already."""
    module = sys.modules.get(name)
    if module is not None:
        adapt(module)
        return
    sys.meta_path.insert(0, _Adapter(name, adapt))


class _Adapter:
    """Finds one module as the other finders do, and has its loader call `adapt` at the end."""

    def __init__(self, name: str, adapt: Adapt) -> None:
        self._name = name
        self._adapt = adapt

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find only the one module."""
        if fullname != self._name:
            return None
        for finder in sys.meta_path:
            spec = None if isinstance(finder, _Adapter) else finder.find_spec(fullname, path, target)
            if spec is not None:
                return self._adapting(spec)
        return None

    def _adapting(self, spec: ModuleSpec) -> ModuleSpec:
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._adapt(module)

        # Not our own loader around the first: other code looks at the loader's class to find a module's data files.
        loader.exec_module = exec_module
        return spec


def _is_local(name: str, file: str, place: str) -> bool:
    """Tell whether a module comes from a folder itself, and not from an installation somewhere below it."""
    top = os.path.join(place, name.partition(".")[0])  # noqa: PTH118 - a thousand modules are looked at
    return file == f"{top}.py" or file.startswith(top + os.sep)


def _drop_compiled(file: str) -> None:
    """Remove the compiled form of a changed file: Python takes it for current if both are from the same second."""
    with suppress(OSError, NotImplementedError):
        Path(importlib.util.cache_from_source(file)).unlink()


def _file_of(module: ModuleType | None) -> str:
    try:
        return getattr(module, "__file__", None) or ""
    except BaseException:  # noqa: BLE001 - protects the load from objects that user code put among the modules
        return ""


def _stamp(file: str) -> _Stamp | None:
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
