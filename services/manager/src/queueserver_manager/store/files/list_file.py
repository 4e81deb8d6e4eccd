"""The file ``existing_plans_and_devices.yaml``. It is read on each request, and never written here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from queueserver.common.v1 import inventory_pb2
from queueserver_inventory.description_messages import inventory_message
from queueserver_inventory.list_file import LONGEST_TEXT, ListFileError, read_list

from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permission_errors import FileInvalid


class ListFile:
    """Lists of existing plans and devices in YAML. ``convert`` makes an inventory of the message."""

    def __init__(self, path: Path, convert: Callable[[inventory_pb2.Inventory], Inventory]) -> None:
        self.path = path
        self._convert = convert

    def read(self) -> Inventory:
        """Plans and devices; takes a while if the file is long. Raises FileInvalid."""
        try:
            with self.path.open(encoding="utf-8-sig") as file:
                text = file.read(LONGEST_TEXT + 1)
        except FileNotFoundError as error:
            # It may never be written: a Worker writes it when an environment opens, if it is told to.
            advice = "open the environment to learn its plans and devices, or put a file there, then reload it"
            raise FileInvalid(self.path, "is not there", advice=advice) from error
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise FileInvalid(self.path, f"can't be read ({why})") from error
        try:
            return self._convert(inventory_message(read_list(text)))
        except ListFileError as error:
            raise FileInvalid(self.path, f"can't be used ({str(error).removesuffix('.')})") from error
