"""How a process with startup code is started: on our own Python, or on another one that has none of our packages."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from queueserver_process.interpreter import OPTION, Interpreter

from queueserver_worker.import_path import module_command

#: The package that is run as the environment process.
ENVIRONMENT = "queueserver_environment"
#: The module that is run to list plans and devices.
LISTING = f"{ENVIRONMENT}.startup.listing"
#: What they are made of. It needs nothing but the standard library and what bluesky brings.
_PACKAGES = (
    ENVIRONMENT,
    "queueserver_inventory",
    "queueserver_long_work",
    "queueserver_process",
    "queueserver_protos",
)
#: What startup code runs that asks for a list of plans and devices.
_LIST_TOOL = "queueserver_worker.list_tool"


@dataclass(frozen=True, slots=True)
class EnvironmentCommand:
    """A command line, to which arguments are added."""

    words: tuple[str, ...]
    #: Its environment variables; None for those of this process.
    variables: Mapping[str, str] | None = None
    #: The command qserver-list-plans-devices, for the same Python.
    list_command: tuple[str, ...] = ()


def environment_command(python: Interpreter | None = None, module: str = ENVIRONMENT) -> EnvironmentCommand:
    """Return how to run a module of the environment on an interpreter; None is our own."""
    list_command = module_command(_LIST_TOOL)
    if python is None:
        return EnvironmentCommand(module_command(module), list_command=list_command)
    places = {package: str(_directory_of(package).parent) for package in _PACKAGES}
    start = str(_directory_of(ENVIRONMENT) / "on_other_python.py")
    flags = ("-u", "-P") if python.has_safe_path else ("-u",)
    return EnvironmentCommand(
        (str(python.path), *flags, start, json.dumps(places), module),
        python.variables(),
        (*list_command, OPTION, str(python.path)),
    )


def _directory_of(package: str) -> Path:
    """Where a package is. It is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent
