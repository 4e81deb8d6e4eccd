"""Making the list of plans and devices from startup code, without a server.

The startup code is loaded by a separate process, so whatever it does ends there. Guarantees: the list is
complete afterwards, or it is as it was before and the reason is raised.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from queueserver_environment.startup.listing_terms import LEFT_OUT, reason_file
from queueserver_process.atomic_file import write_atomically

from queueserver_worker.import_path import module_command
from queueserver_worker.list_options import FILE
from queueserver_worker.startup_options import StartupOptions

_COMMAND = (*module_command("queueserver_environment.startup.listing"), "--channel-fd", "-1")


class ListGenerationError(RuntimeError):
    """There is no new list; the message says why and what to do."""


def generate_list(startup: StartupOptions, file: Path, *, ignore_invalid_plans: bool = False) -> None:
    """Load startup code and list its plans and devices in a file, replacing an existing one.

    With ``ignore_invalid_plans`` plans that can't be described are left out, without it they are a failure. What the
    startup code prints is printed. Raises ListGenerationError.
    """
    if not file.parent.is_dir():
        raise ListGenerationError(f"There is no directory {file.parent}: create it, or name another one.")
    with tempfile.TemporaryDirectory(prefix="qserver-list-") as folder:
        made = Path(folder) / "list"
        code = _run([*startup.arguments, FILE, str(made)])
        reason = _text_of(reason_file(made))
        if code != 0 and (code != LEFT_OUT or not ignore_invalid_plans):
            raise ListGenerationError(
                reason or f"The process that loads the startup code ended early ({_ending(code)})."
            )
        text = _text_of(made)
    if not text:
        raise ListGenerationError("The startup code ended the process: remove the call of os._exit.")
    try:
        write_atomically(file, text)
    except OSError as error:
        raise ListGenerationError(
            f"The list can't be written to {file} ({error.strerror}): correct its permissions, or name another file."
        ) from error


def _run(arguments: Sequence[str]) -> int:
    return subprocess.run([*_COMMAND, *arguments], stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - our own command


def _text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
