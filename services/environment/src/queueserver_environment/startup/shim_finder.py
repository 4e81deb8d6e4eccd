"""Packages that are offered in place of ones that are not installed.

Guarantees: an installed package of that name wins, because these are searched last. What a package does not offer is a
ModuleNotFoundError or AttributeError that names what it does offer, however it is requested. What it offers is created
on request, because otherwise every opening of an environment would wait for what most startup code does not use.
"""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class ShimFinder(MetaPathFinder, Loader):
    """A finder and loader of one package and its submodules, for the end of `sys.meta_path`.

    Parameters
    ----------
    package
        Name of the package.
    why
        Why it is offered: a clause for the middle of a sentence.
    modules
        The names in each module, by the module's full name; the package itself is one of them.
    make
        Returns the object of a name.

    """

    def __init__(
        self, package: str, why: str, modules: Mapping[str, Sequence[str]], make: Callable[[str], Any]
    ) -> None:
        self.package = package
        self._why = why
        self._modules = modules
        self._make = make

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the package and the modules below it. Raises ModuleNotFoundError for what is not offered."""
        del path, target
        parent, _, name = fullname.rpartition(".")
        if fullname != self.package and not self._is_mine(parent):
            return None
        if fullname not in self._modules:
            # Without the name: with it, Python would replace our sentence by one of its own.
            raise ModuleNotFoundError(self._refusal(parent, name))
        # Each of them is a package, because only then the import of a missing name comes here and gets our sentence.
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to Python."""
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Let a module create its names when they are requested."""
        name = module.__name__

        def give(wanted: str) -> Any:
            if wanted in self._modules[name]:
                return vars(module).setdefault(wanted, self._make(wanted))
            if f"{name}.{wanted}" in self._modules:
                return importlib.import_module(f"{name}.{wanted}")
            raise AttributeError(wanted if wanted.startswith("__") else self._refusal(name, wanted))

        vars(module)["__getattr__"] = give
        vars(module)["__all__"] = self._public(name)
        vars(module)["__dir__"] = lambda: sorted({*vars(module), *self._modules[name]})

    def _is_mine(self, name: str) -> bool:
        spec = getattr(sys.modules.get(name), "__spec__", None)
        return spec is not None and spec.loader is self

    def _public(self, module: str) -> list[str]:
        return [name for name in self._modules[module] if not name.startswith("_")]

    def _refusal(self, module: str, missing: str) -> str:
        below = [name.rpartition(".")[2] for name in self._modules if name.rpartition(".")[0] == module]
        offered = ", ".join(sorted({*self._public(module), *below}))
        return f"{module} has no {missing}: {self._why}, and what stands in for it offers only {offered}"
