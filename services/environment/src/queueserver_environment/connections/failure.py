"""Why startup code failed, if it is because devices did not connect: which devices and signals.

ophyd's own text names all signals of a device, which may be hundreds; the first line of ophyd-async's names none.
"""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from queueserver_environment.connections.sentences import failure_text, listing
from queueserver_environment.connections.waits import Wait, is_of_ophyd_async

_TOLD: Final = 10
_DEEPEST: Final = 20


def not_connected_text(error: BaseException) -> str:
    """Say in one line what did not connect; empty if the exception has another reason."""
    with suppress(BaseException):  # protects the report: exceptions may be any code
        if is_of_ophyd_async(error):
            return _async_text(error)
        if text := _waited_text(error):
            return text
        if error.__cause__ is not None and (text := not_connected_text(error.__cause__)):
            return f"{str(error).strip().splitlines()[0].rstrip('.')} ({text})"
    return ""


def _waited_text(error: BaseException) -> str:
    """Find the outermost wait that the exception has ended."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        wait = frame.f_locals.get("connection_wait")
        if isinstance(wait, Wait) and wait.found is not None:
            return failure_text(wait.found, wait.seconds or 0.0)
    return ""


def _async_text(error: BaseException) -> str:
    leaves = list(_leaves(error, ""))
    return f"{listing(leaves, _TOLD)} did not connect" if leaves else ""


def _leaves(error: Any, path: str) -> Iterator[str]:
    """Name each signal below an exception of ophyd-async, with its source or another reason."""
    inner = error.sub_errors if is_of_ophyd_async(error) and path.count(".") < _DEEPEST else None
    if isinstance(inner, Mapping) and inner:
        for name, each in inner.items():
            yield from _leaves(each, f"{path}.{name}" if path else str(name))
        return
    kind = "" if is_of_ophyd_async(error) else f"{type(error).__name__}: "
    text = f"{kind}{str(error).strip()}".strip().splitlines()[0:1]
    yield f"{path} ({text[0]})" if path and text else path or "".join(text)
