"""The file in which plans and devices of an environment are listed, so that they are known while it is closed.

Guarantees: readers see the old file or the new one, never a part; a file that says the same already is not touched.
A failure to write it ends nothing: it is an issue of the inventory until writing succeeds. A file system that does not
answer is waited for once, for some seconds, and not again until it answers; then the newest list is written.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_process.atomic_file import write_atomically

_ADVICE: Final = (
    "make room or correct the permissions of the directory, or name another file with --existing-plans-devices"
)
_PATIENCE: Final = 5.0
"""Seconds that an environment opens later because of a file system that does not answer."""


class ListFile:
    """The list of plans and devices. Its methods take a while if there are many.

    Parameters
    ----------
    path
        The file; None if there is none.
    also_changes
        Write it not only when an environment opens, but also when plans or devices change.

    """

    def __init__(self, path: Path | None = None, *, also_changes: bool = False) -> None:
        self._path = path
        self._also_changes = also_changes
        #: Why it could not be written, in a sentence; empty if it could.
        self.problem = ""
        self._lock = threading.Lock()
        #: The newest list that is not written yet.
        self._waiting: str | None = None
        #: Whether a thread writes lists.
        self._writing = False

    @property
    def issues(self) -> list[pb.InventoryIssue]:
        """The last error, if any."""
        if not self.problem:
            return []
        kind = pb.INVENTORY_ISSUE_KIND_STARTUP_CODE
        return [pb.InventoryIssue(name=str(self._path), message=self.problem, kind=kind)]

    def opened(self, inventory: pb.Inventory) -> None:
        """Write what a new environment has."""
        if self._path is not None:
            self._write(self._path, inventory)

    def changed(self, inventory: pb.Inventory) -> None:
        """Write what an environment has after a change, if that is wanted."""
        if self._path is not None and self._also_changes:
            self._write(self._path, inventory)

    def _write(self, path: Path, inventory: pb.Inventory) -> None:
        text = list_text(inventory)
        written = threading.Event()
        with self._lock:
            self._waiting = text
            if self._writing:
                # The file system has not answered yet, which is the problem that is told.
                return
            self._writing = True
        try:
            threading.Thread(target=self._work, args=(path, written), name="list-file", daemon=True).start()
        except RuntimeError:
            self._work(path, written)
        if written.wait(_PATIENCE):
            return
        with self._lock:
            if self._writing:
                self.problem = (
                    f"The list of plans and devices is not written to {path} yet, because the file system does not "
                    "answer; see what is wrong with it, or name another file with --existing-plans-devices."
                )

    def _work(self, path: Path, written: threading.Event) -> None:
        problem = ""
        while (text := self._next(problem)) is not None:
            problem = _problem_of_writing(path, text)
        written.set()

    def _next(self, problem: str) -> str | None:
        """Take the newest list; if there is none, `problem` is what is left to tell."""
        with self._lock:
            text, self._waiting = self._waiting, None
            if text is None:
                self._writing = False
                self.problem = problem
            return text


def _problem_of_writing(path: Path, text: str) -> str:
    try:
        write_atomically(path, text)
    except OSError as error:
        return f"The list of plans and devices can't be written to {path} ({error.strerror}); {_ADVICE}."
    return ""


def list_text(inventory: pb.Inventory) -> str:
    """The text of a list."""
    # YAML takes memory, and most Workers write no list.
    from queueserver_inventory.description_messages import devices_of, plans_of  # noqa: PLC0415
    from queueserver_inventory.descriptions import Inventory  # noqa: PLC0415
    from queueserver_inventory.list_file import write_list  # noqa: PLC0415

    return write_list(Inventory(plans_of(inventory.plans), devices_of(inventory.devices)))
