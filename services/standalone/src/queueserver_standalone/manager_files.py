"""The files beside the startup code that say who may use what, and which plans and devices there are.

Both belong to the startup directory unless a path is given. A file that is named must be there; one that only might be
in the startup directory is looked for whenever the Manager starts, so that it may be added later.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.startup_source import belongs_to_demo

PERMISSIONS_NAME: Final = "user_group_permissions.yaml"
LISTS_NAME: Final = "existing_plans_and_devices.yaml"
_POLICIES: Final = ("NEVER", "ON_REQUEST", "ON_STARTUP")


@dataclass(frozen=True, slots=True)
class ManagerFiles:
    """Where the files are; None if they can't be anywhere."""

    permissions: Path | None = None
    lists: Path | None = None
    #: When permissions of the file take the place of those that are stored; see the Manager's option.
    reload: str = "ON_STARTUP"
    #: When the Worker writes the list; see its option.
    update: str = "NEVER"

    @property
    def arguments(self) -> list[str]:
        """Arguments for the Manager, of the files that are there now."""
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


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options; `read_files` reads what was given."""
    group = parser.add_argument_group("permissions and lists", "Files in YAML, by default in the startup directory.")
    group.add_argument(
        "--user-group-permissions",
        metavar="PATH",
        type=_path,
        help=f"what each user group may use: a file, or a directory with {PERMISSIONS_NAME}; without any file "
        "groups admin and primary may use everything that does not begin with an underscore",
    )
    group.add_argument(
        "--user-group-permissions-reload",
        choices=_POLICIES,
        default="ON_STARTUP",
        help="when the file takes the place of permissions that were set: never, on request, or also at each start "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--existing-plans-devices",
        metavar="PATH",
        type=_path,
        help=f"plans and devices to begin with: a file, or a directory with {LISTS_NAME}",
    )
    group.add_argument(
        "--update-existing-plans-devices",
        choices=("NEVER", "ENVIRONMENT_OPEN", "ALWAYS"),
        default="ENVIRONMENT_OPEN",
        help="when that file is written: never, when an environment opens, or also when its plans or devices change "
        "(default: %(default)s; the demo's file never is)",
    )


def read_files(given: argparse.Namespace, startup_directory: Path | None) -> ManagerFiles:
    """Read the options of a parsed command line. Raises StandaloneError if a file that was named is not there."""
    named: Path | None = given.user_group_permissions
    permissions = _file(named or startup_directory, PERMISSIONS_NAME)
    if named is not None and permissions is not None and not permissions.is_file():
        raise StandaloneError(f"There is no file {permissions}. Give --user-group-permissions a file that is there.")
    lists = _file(given.existing_plans_devices or startup_directory, LISTS_NAME)
    is_ours = lists is not None and belongs_to_demo(lists)
    update = "NEVER" if is_ours else given.update_existing_plans_devices
    return ManagerFiles(permissions, lists, given.user_group_permissions_reload, update)


def _file(path: Path | None, name: str) -> Path | None:
    """A path that does not end as a YAML file does is taken for a directory."""
    if path is None or path.suffix in (".yaml", ".yml"):
        return path
    return path / name


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()
