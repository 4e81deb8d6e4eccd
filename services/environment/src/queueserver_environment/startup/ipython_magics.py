"""Line magics of IPython, as far as startup files use them.

`run`, `cd`, `env`/`set_env` and `time` do what they do in IPython, and so do magics that the startup code registers.
Those that only concern a terminal or a graphical interface are ignored, with a line on the console. Unknown ones are
an error: code that was skipped silently would be missed only when the beam is on.
"""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_IGNORED: Final = frozenset(
    {
        *("alias", "autoawait", "autocall", "autoindent", "automagic", "autoreload", "aimport", "autosave", "bookmark"),
        *("colors", "colour", "config", "connect_info", "doctest_mode", "gui", "history", "hist", "load_ext"),
        *("logoff", "logon", "logstart", "logstate", "logstop", "lsmagic", "matplotlib", "page", "pdb", "pinfo"),
        *("pinfo2", "pip", "conda", "pprint", "precision", "prun", "psearch", "psource", "pwd", "pylab", "quickref"),
        *("rehashx", "reload_ext", "reset_selective", "tb", "timeit", "unalias", "unload_ext", "who", "who_ls"),
        *("whos", "xdel", "xmode"),
    }
)
_RUN_FLAGS: Final = frozenset({"-i", "-n", "-e"})
Execute = Callable[[Path, dict[str, Any]], None]


class UnknownMagicError(NameError):
    """A magic that is neither carried out nor safely ignored here."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"%{name} is not a magic of this environment: omit it, or put it below 'if not is_re_worker_active():' "
            "(run, cd, env and time are done; those for terminal, plots and history are ignored)"
        )


class Magics:
    """Runs line magics on behalf of the shell's stand-in."""

    def __init__(self, namespace: dict[str, Any], execute_file: Execute, tell_ignored: Callable[[str], None]) -> None:
        self._namespace = namespace
        self._execute_file = execute_file
        self._tell_ignored = tell_ignored
        self._registered: dict[str, Callable[..., Any]] = {}
        self._done: dict[str, Callable[[str], Any]] = {
            "run": self._run,
            "cd": self._cd,
            "env": self._env,
            "set_env": self._env,
            "time": self._time,
        }

    def add(self, name: str, function: Callable[..., Any]) -> None:
        """Add a magic defined by the startup code."""
        self._registered[name] = function

    def run(self, name: str, line: str) -> Any:
        """Run a magic. Raises UnknownMagicError, or what the magic raises."""
        function = self._registered.get(name) or self._done.get(name)
        if function is not None:
            return function(line)
        if name not in _IGNORED:
            raise UnknownMagicError(name)
        self._tell_ignored(f"%{name} {line}".rstrip())
        return None

    def _run(self, line: str) -> None:
        """Execute a file: with -i in the namespace of the startup code, otherwise in one whose names then go there."""
        words = shlex.split(line)
        flags = {word for word in words if word.startswith("-")}
        files = [word for word in words if word not in flags]
        if flags - _RUN_FLAGS or len(files) != 1:
            raise ValueError(f"'%run {line}' is not understood here: write '%run FILE' or '%run -i FILE'")
        file = self._find(files[0])
        if "-i" in flags:
            self._execute_file(file, self._namespace)
            return
        names: dict[str, Any] = {"__name__": file.stem if "-n" in flags else "__main__"}
        names["get_ipython"] = self._namespace["get_ipython"]
        self._execute_file(file, names)
        self._namespace.update({name: value for name, value in names.items() if not name.startswith("__")})

    def _find(self, text: str) -> Path:
        """Find a file as IPython does, from the current directory, or else beside the file that is being executed."""
        path = Path(text).expanduser()
        beside = Path(self._namespace.get("__file__", "")).parent
        candidates = [folder / name for folder in (Path.cwd(), beside) for name in (path, path.with_suffix(".py"))]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise FileNotFoundError(f"%run finds no file {text} in {Path.cwd()} or {beside}: give its whole path")

    def _cd(self, line: str) -> None:
        os.chdir(Path(line.strip() or "~").expanduser())

    def _env(self, line: str) -> str | None:
        name, separator, value = line.strip().partition("=" if "=" in line else " ")
        if not separator:
            return os.environ.get(name)
        os.environ[name.strip()] = os.path.expandvars(value.strip())
        return None

    def _time(self, line: str) -> None:
        exec(line, self._namespace)  # noqa: S102 - a statement of the startup code
