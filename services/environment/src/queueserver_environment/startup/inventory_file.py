"""The file in which an environment lists its plans and devices, so that they are known while it is closed.

Guarantees: readers see the old file or the new one, never a part; a file that says the same already is not touched.
A failure to write it ends nothing: it is an issue of the inventory until writing succeeds.
"""

from pathlib import Path
from typing import Final

from queueserver_inventory.descriptions import Inventory, InventoryIssue, InventoryIssueKind
from queueserver_inventory.list_file import write_list
from queueserver_process.atomic_file import write_atomically

from queueserver_environment.process.garbage import no_collection

_ADVICE: Final = (
    "make room or correct the permissions of the directory, or name another file with --existing-plans-devices"
)


class InventoryFile:
    """The list of one environment.

    Parameters
    ----------
    path
        The file; None if there is none.
    also_changes
        Write it not only when the environment opens, but also when plans or devices change.

    """

    def __init__(self, path: Path | None = None, *, also_changes: bool = False) -> None:
        self._path = path
        self._also_changes = also_changes
        self._failure = ""

    @property
    def issues(self) -> tuple[InventoryIssue, ...]:
        """The last error, if any."""
        if not self._failure:
            return ()
        return (InventoryIssue(str(self._path), self._failure, InventoryIssueKind.STARTUP_CODE),)

    def opened(self, inventory: Inventory) -> None:
        """Write what a new environment has."""
        if self._path is not None:
            self._write(self._path, inventory)

    def changed(self, inventory: Inventory) -> None:
        """Write what an environment has after a change, if that is wanted."""
        if self._path is not None and self._also_changes:
            self._write(self._path, inventory)

    def _write(self, path: Path, inventory: Inventory) -> None:
        try:
            with no_collection():
                write_atomically(path, write_list(inventory))
        except OSError as error:
            self._failure = f"The list of plans and devices can't be written to {path} ({error.strerror}); {_ADVICE}."
        else:
            self._failure = ""
