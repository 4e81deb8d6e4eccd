"""Scripts: source text that is executed in the namespace, as one more piece of startup code.

Guarantees: what a script defines, changes or deletes stays, also when it fails; only `RE` and `db` are restored when
it ends, unless it was to replace them. Modules beside the startup code can be imported, and are read again if
their files have changed. Tracebacks have the script's own lines, also long after it ended.
Does not guarantee anything about two scripts that change the same names at the same time.
"""

import linecache
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from queueserver_environment.messages.tasks import Script
from queueserver_environment.plans.failures import error_text
from queueserver_environment.startup.startup_imports import local_modules
from queueserver_environment.tasks.errors import TaskNotStartedError

RESERVED: Final = ("RE", "db")
"""Names that a script can't replace by accident."""
MAX_SOURCES: Final = 200
"""Scripts whose lines can still be shown."""
_MISSING: Final = object()


def script_name(script: Script, task_uid: str) -> str:
    """Name that a script has in tracebacks: each its own, so that each shows its own lines."""
    return f"<script {script.name} {task_uid[:8]}>" if script.name else f"<script {task_uid[:8]}>"


class ScriptRunner:
    """Executes scripts in one namespace.

    Parameters
    ----------
    namespace
        The namespace of the startup code.
    folder
        Where modules of the startup code are; None if it has no folder.

    """

    def __init__(self, namespace: dict[str, Any], folder: Path | None) -> None:
        self._namespace = namespace
        self._folder = folder
        self._sources: OrderedDict[str, None] = OrderedDict()
        #: What the reserved names stand for since they were last replaced on purpose, and how often that was.
        self._official: dict[str, Any] = {}
        self._replacements = 0

    def execute(self, script: Script, task_uid: str) -> None:
        """Execute a script to its end.

        Raises
        ------
        TaskNotStartedError
            It has characters that no Python source has.
        BaseException
            Whatever it raises, SyntaxError and SystemExit included.

        """
        name = script_name(script, task_uid)
        # Some editors write a byte order mark, which Python takes in a file, but not in a text.
        text = script.text.removeprefix("\ufeff")
        self._remember_source(name, text)
        try:
            code = compile(text, name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            if isinstance(error, SyntaxError) and error.filename == name:
                raise
            # Zero bytes: each version of Python has its own error for them, without a place.
            raise TaskNotStartedError(f"the script is not Python source ({error_text(error)}); correct it.") from None
        modules = local_modules.importable(self._folder, first=True)
        with self._reserved(replaceable=script.update_re), self._file(), modules:
            exec(code, self._namespace)  # noqa: S102 - executing the user's scripts is what this is for

    def replaced(self) -> None:
        """Note the present values of the reserved names as the valid ones."""
        self._official = self._take()
        self._replacements += 1

    @contextmanager
    def _reserved(self, *, replaceable: bool) -> Iterator[None]:
        before, replacements = self._take(), self._replacements
        try:
            yield
        finally:
            if replaceable:
                self.replaced()
            else:
                # A script that ran at the same time may have replaced them on purpose.
                self._put(before if replacements == self._replacements else self._official)

    def _take(self) -> dict[str, Any]:
        return {name: self._namespace.get(name, _MISSING) for name in RESERVED}

    def _put(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if value is _MISSING:
                self._namespace.pop(name, None)
            else:
                self._namespace[name] = value

    @contextmanager
    def _file(self) -> Iterator[None]:
        """Set `__file__` to an imaginary file beside the startup code."""
        if self._folder is None:
            yield
            return
        outer = self._namespace.get("__file__", _MISSING)
        self._namespace["__file__"] = str(self._folder / "script")
        try:
            yield
        finally:
            if outer is _MISSING:
                self._namespace.pop("__file__", None)
            else:
                self._namespace["__file__"] = outer

    def _remember_source(self, name: str, text: str) -> None:
        # With no time of change an entry stays, whatever the file system says.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        self._sources[name] = None
        if len(self._sources) > MAX_SOURCES:
            linecache.cache.pop(self._sources.popitem(last=False)[0], None)
