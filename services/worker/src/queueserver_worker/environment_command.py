"""How the environment process is started: on our own Python, or on another one that has none of our packages."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from queueserver_process.interpreter import Interpreter

from queueserver_worker.import_path import module_command

#: The package that is run as the environment process.
ENVIRONMENT = "queueserver_environment"
#: What the environment is made of. They need nothing but the standard library and what bluesky brings.
_PACKAGES = (
    ENVIRONMENT,
    "queueserver_inventory",
    "queueserver_long_work",
    "queueserver_process",
    "queueserver_protos",
)


def command_on(interpreter: Interpreter | None, module: str) -> tuple[str, ...]:
    """Return how to run a module of ours on another interpreter, which has none of our packages; None is our own."""
    if interpreter is None:
        return module_command(module)
    places = {package: str(_directory_of(package).parent) for package in _PACKAGES}
    start = _directory_of(ENVIRONMENT) / "on_other_python.py"
    flags = ("-u", "-P") if interpreter.has_safe_path else ("-u",)
    return (str(interpreter.path), *flags, str(start), json.dumps(places), module)


def _directory_of(package: str) -> Path:
    """Where a package is. It is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent
