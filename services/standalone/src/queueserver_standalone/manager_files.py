"""The files beside the startup code: permissions, and the list of plans and devices.

Both are in the startup directory unless a path is given. A file that is named must exist; one that may be in the
startup directory is looked for whenever the Manager starts, so that it can be added later.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from queueserver_standalone.configuration.choices import Choices
from queueserver_standalone.configuration.option_table import LISTS_NAME, PERMISSIONS_NAME
from queueserver_standalone.configuration.startup_source import belongs_to_demo
from queueserver_standalone.errors import StandaloneError


@dataclass(frozen=True, slots=True)
class ManagerFiles:
    """Where the files are; None for a file that has no place."""

    permissions: Path | None = None
    lists: Path | None = None
    #: When the file's permissions replace the stored ones; see the Manager's option.
    reload: str = "ON_STARTUP"
    #: When the Worker writes the list; see its option.
    update: str = "NEVER"

    @property
    def arguments(self) -> list[str]:
        """Arguments for the Manager, for the files that exist now."""
        arguments = ["--user-group-permissions-reload", self.reload]
        if self.permissions is not None and self.permissions.is_file():
            arguments += ["--user-group-permissions", str(self.permissions)]
        if self.lists is not None:
            # It need not be there yet: the Worker writes it.
            arguments += ["--existing-plans-devices", str(self.lists)]
        return arguments

    @property
    def worker_arguments(self) -> list[str]:
        """Arguments for the Worker, which writes the list."""
        if self.lists is None:
            return []
        return ["--existing-plans-devices", str(self.lists), "--update-existing-plans-devices", self.update]


def read_files(choices: Choices, startup_directory: Path | None) -> ManagerFiles:
    """Make it from the options. Raises StandaloneError if a named file does not exist, or can't be written."""
    named = choices.path("user_group_permissions")
    permissions = _file(named or startup_directory, PERMISSIONS_NAME)
    if named is not None and permissions is not None and not permissions.is_file():
        raise StandaloneError(f"There is no file {permissions}. Give --user-group-permissions a file that is there.")
    lists = _file(choices.path("existing_plans_devices") or startup_directory, LISTS_NAME)
    if lists is not None and not lists.parent.is_dir():
        raise StandaloneError(
            f"There is no directory {lists.parent}. Create it, or give --existing-plans-devices a file in another one."
        )
    is_ours = lists is not None and belongs_to_demo(lists)
    update = "NEVER" if is_ours else choices.text("update_existing_plans_devices") or "ENVIRONMENT_OPEN"
    return ManagerFiles(permissions, lists, choices.text("user_group_permissions_reload") or "ON_STARTUP", update)


def _file(path: Path | None, name: str) -> Path | None:
    """The path of the file: a path without the suffix of a YAML file names a directory."""
    if path is None or path.suffix in (".yaml", ".yml"):
        return path
    return path / name
