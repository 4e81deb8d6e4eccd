"""The configuration of a bluesky-queueserver: a YAML file, or a directory of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from queueserver_import.failures import Failure

#: Keys of the section ``startup`` that say which code is loaded, and the options of the same meaning.
_SOURCES: Final = {
    "startup_dir": "--startup-dir",
    "startup_script": "--startup-script",
    "startup_module": "--startup-module",
    "startup_profile": "--startup-profile",
    "ipython_dir": "--ipython-dir",
}
_FILES: Final = {
    "existing_plans_and_devices_path": "--existing-plans-devices",
    "user_group_permissions_path": "--user-group-permissions",
}
_DEFAULT_PERMISSIONS: Final = "user_group_permissions.yaml"


@dataclass(frozen=True)
class OldConfig:
    """What an import needs to know of a configuration, None or empty where it says nothing."""

    redis_address: str | None = None
    redis_prefix: str | None = None
    #: Options of start-re-manager that say the same about startup code and files.
    options: Mapping[str, str] = field(default_factory=dict)

    def permission_file(self) -> Path | None:
        """Where the old server read permissions from, if there are none in its Redis."""
        named = self.options.get("--user-group-permissions")
        if named is None and "--startup-dir" in self.options:
            named = self.options["--startup-dir"]
        if named is None:
            return None
        path = Path(named).expanduser()
        return path / _DEFAULT_PERMISSIONS if path.is_dir() else path


def read_config(path: Path) -> OldConfig:
    """Read a configuration file, or all files of a directory. Raises Failure."""
    sections: dict[str, Any] = {}
    for file in _files_of(path):
        try:
            content = yaml.safe_load(file.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise Failure(
                f"The configuration {file} can't be read ({error}): correct it, or leave --config out."
            ) from None
        if content is not None and not isinstance(content, dict):
            raise Failure(f"The configuration {file} is no mapping: is it one of bluesky-queueserver?")
        sections.update(content or {})
    network, startup = (_section(sections, name) for name in ("network", "startup"))
    options = {flag: startup[key] for key, flag in (_SOURCES | _FILES).items() if startup.get(key)}
    return OldConfig(network.get("redis_addr"), network.get("redis_name_prefix"), options)


def _files_of(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.iterdir()):
        if file.is_file() and not file.name.startswith(".") and file.suffix != ".py":
            yield file


def _section(sections: Mapping[str, Any], name: str) -> dict[str, str]:
    """The texts of a section, with variables of the environment in them expanded."""
    found = sections.get(name)
    if not isinstance(found, dict):
        return {}
    return {str(key): _expanded(value) for key, value in found.items() if isinstance(value, str)}


def _expanded(text: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], found[0]), text)
