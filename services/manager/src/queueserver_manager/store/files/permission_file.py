"""The file ``user_group_permissions.yaml``. It is read on each request, so it may change at any time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from queueserver_inventory.access import GroupRules

from queueserver_manager.domain.permissions.permission_document import read_document
from queueserver_manager.domain.permissions.permission_errors import FileInvalid
from queueserver_manager.store.files import permission_yaml

#: A larger file is not read. The largest permissions there can be are much smaller.
MAX_BYTES = 4 * 1024 * 1024


class PermissionFile:
    """Permissions of user groups in YAML."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Mapping[str, GroupRules]:
        """Rules of each group; takes a while if the file is long. Raises FileInvalid."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError as error:
            advice = "put it back, then reload it, or set permissions instead"
            raise FileInvalid(self.path, "is not there", advice=advice) from error
        except OSError as error:
            raise self._invalid(f"can't be read ({error.strerror or error})") from error
        if len(data) > MAX_BYTES:
            raise self._invalid(f"has more than {MAX_BYTES} bytes")
        try:
            document = permission_yaml.load(data)
        except permission_yaml.PermissionYamlError as error:
            raise self._invalid(str(error)) from error
        groups, violations = read_document(document)
        if violations:
            raise FileInvalid(self.path, "is wrong", violations=violations)
        return groups

    def _invalid(self, what: str) -> FileInvalid:
        return FileInvalid(self.path, what)
