"""A stand-in for IPython's shell, for startup files that were written for an IPython profile.

Guarantees: `get_ipython()` works as a global name of startup files, and through every import from IPython, in startup
files and in the modules of a beamline that they import, whether or not IPython is installed. The shell has `user_ns`
(the namespace of the startup code), `log`, `config` and `profile_dir`; what only concerns a terminal or a graphical
interface is accepted and ignored, with a line on the console; anything else is an AttributeError that says what is
available. Installed libraries get IPython's own answer, which is None as long as no shell runs.
"""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from queueserver_environment.startup.ipython_callers import asked_by_library
from queueserver_environment.startup.ipython_magics import Magics
from queueserver_environment.startup.shell_settings import ShellSettings
from queueserver_environment.startup.shim_finder import ShimFinder
from queueserver_environment.startup.startup_imports import after_import

_IGNORED: Final = frozenset(
    {
        *("events", "hooks", "display_formatter", "history_manager", "input_transformers_cleanup"),
        *("input_transformers_post", "ast_transformers", "prompts", "InteractiveTB", "logger", "Completer"),
        *("register_magics", "set_custom_exc", "set_hook", "set_next_input", "set_custom_completer", "showtraceback"),
        *("enable_gui", "enable_matplotlib", "enable_pylab", "extension_manager", "showsyntaxerror", "alias_manager"),
    }
)
ExecuteFile = Callable[[Path, dict[str, Any]], None]


class InteractiveShellStandIn:
    """What `get_ipython()` returns in startup code. Attributes can be set as on any object."""

    def __init__(self, namespace: dict[str, Any], execute_file: ExecuteFile, folder: Path | None = None) -> None:
        self.user_ns = namespace
        self.user_global_ns = namespace
        self.user_module = sys.modules.get("__main__")
        self.config = ShellSettings()
        #: Libraries read it to see which event loop of a graphical interface runs.
        self.active_eventloop = None
        if folder is not None:
            self.profile_dir = SimpleNamespace(location=str(folder.parent), startup_dir=str(folder))
        self.log = logging.getLogger("startup")
        self._magics = Magics(namespace, execute_file, tell_ignored)

    def run_line_magic(self, magic_name: str, line: str = "", _stack_depth: int = 1) -> Any:
        """Do what a magic does if that makes sense here, otherwise say that it is ignored.

        Raises
        ------
        UnknownMagicError
            Nothing is known of that magic.

        """
        return self._magics.run(magic_name, line)

    def magic(self, arg_s: str) -> Any:
        """Run a magic that is given with its arguments in one text."""
        name, _, line = arg_s.strip().lstrip("%").partition(" ")
        return self.run_line_magic(name, line.strip())

    def register_magic_function(
        self, func: Callable[..., Any], magic_kind: str = "line", magic_name: str | None = None
    ) -> None:
        """Add a magic defined by the startup code; only line magics can be run."""
        if magic_kind in {"line", "line_cell"}:
            self._magics.add(magic_name or func.__name__, func)

    def push(self, variables: dict[str, Any], interactive: bool = True) -> None:  # noqa: ARG002 - IPython's signature
        """Put variables into the namespace of the startup code."""
        self.user_ns.update(variables)

    def has_trait(self, name: str) -> bool:  # noqa: ARG002 - IPython's signature
        """Say that there are no traits: this is how libraries check whether there is a kernel."""
        return False

    def system(self, cmd: str) -> None:
        """Run a command of the operating system's shell; its output goes to the console."""
        self.user_ns["_exit_code"] = subprocess.run(cmd, shell=True, check=False).returncode  # noqa: S602 - the startup code's own command

    def __getattr__(self, name: str) -> Any:
        if name in _IGNORED:
            return _Nothing(f"get_ipython().{name}")
        raise AttributeError(
            f"get_ipython().{name} does not exist here: the environment has no IPython shell. There are user_ns, log, "
            "config, push, system and run_line_magic; put what needs a real shell below "
            "'if not is_re_worker_active():'."
        )


class _Nothing:
    """A missing part of the shell: it accepts everything and does nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_args: Any, **_kwargs: Any) -> None:
        tell_ignored(f"{self._name}()")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(f"{self._name}.{name}")

    def __getitem__(self, key: object) -> Any:
        return _Nothing(f"{self._name}[{key!r}]")

    def __setitem__(self, key: object, value: object) -> None:
        tell_ignored(f"{self._name}[{key!r}]")

    def __contains__(self, key: object) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __bool__(self) -> bool:
        return False


def tell_ignored(what: str) -> None:
    """Write on the console that something is ignored."""
    sys.stdout.write(f"ignored: {what} (there is no IPython shell in the environment)\n")


def offer_in(namespace: dict[str, Any], execute_file: ExecuteFile, folder: Path | None = None) -> None:
    """Make `get_ipython` available, as a global name of the namespace and in IPython itself.

    `folder` is the directory of the startup files.
    """
    shell = InteractiveShellStandIn(namespace, execute_file, folder)
    own: list[Callable[[], Any]] = []

    def get_ipython() -> Any:
        """Return the stand-in for the IPython shell; to libraries, what IPython itself returns."""
        if asked_by_library():
            return own[0]() if own else None
        return shell

    def adapt(module: ModuleType) -> None:
        original = vars(module).get("get_ipython")
        if callable(original) and original is not get_ipython and not own:
            own.append(original)
        setattr(module, "get_ipython", get_ipython)  # noqa: B010 - a module's type does not tell what is in it

    namespace["get_ipython"] = get_ipython
    # Every other place in IPython gets its get_ipython from there.
    after_import("IPython.core.getipython", adapt)
    if "IPython" in sys.modules:
        adapt(sys.modules["IPython"])
    names = {
        "get_ipython": get_ipython,
        # matplotlib asks older versions for parts that are not offered.
        "version_info": (8, 24, 0, ""),
        "__version__": "8.24.0",
    }
    modules = {"IPython": tuple(names), "IPython.core": (), "IPython.core.getipython": ("get_ipython",)}
    sys.meta_path.append(ShimFinder("IPython", "IPython is not installed here", modules, names.__getitem__))
