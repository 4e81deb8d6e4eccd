"""The list of plans and devices in a file, for scripts and installers; as the command qserver-list-plans-devices."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from queueserver_inventory.list_entries import FILE_NAME

from queueserver_environment.user_api.list_command import list_command

_NOT_CREATED: Final = "was not created. "


def gen_list_of_plans_and_devices(
    *,
    startup_profile: str | None = None,
    startup_dir: str | None = None,
    startup_module_name: str | None = None,
    startup_script_path: str | None = None,
    file_dir: str | None = None,
    file_name: str | None = None,
    ipython_dir: str | None = None,
    overwrite: bool = False,
    ignore_invalid_plans: bool = False,
    device_max_depth: int = 0,
    use_ipython_kernel: bool = False,
) -> None:
    """Load startup code in a separate process and list its plans and devices in a file.

    Parameters
    ----------
    startup_profile, startup_dir, startup_module_name, startup_script_path
        Where the startup code is: exactly one of them.
    file_dir, file_name
        Where the list goes; the current directory and existing_plans_and_devices.yaml if not given.
    ipython_dir
        Where IPython profiles are.
    overwrite
        Replace an existing file.
    ignore_invalid_plans
        Leave out plans that can't be described, instead of failing.
    device_max_depth
        Levels of device trees that are listed; 0 for all.
    use_ipython_kernel
        Not possible; only False is understood.

    Raises
    ------
    RuntimeError
        There is no new list; the message says why.

    """
    if use_ipython_kernel:
        raise RuntimeError("Startup code is always loaded in plain Python: leave use_ipython_kernel out.")
    file = Path(file_dir or ".").expanduser().absolute() / (file_name or FILE_NAME)
    if file.exists() and not overwrite:
        raise RuntimeError(f"The file {file} exists already: give overwrite=True to replace it.")
    options = {
        "--startup-profile": startup_profile,
        "--startup-dir": startup_dir,
        "--startup-module": startup_module_name,
        "--startup-script": startup_script_path,
        "--ipython-dir": ipython_dir,
        "--device-max-depth": str(device_max_depth) if device_max_depth else None,
        "--file-dir": str(file.parent),
        "--file-name": file.name,
        "--ignore-invalid-plans": "ON" if ignore_invalid_plans else "OFF",
    }
    _run([*list_command(), *(f"{name}={value}" for name, value in options.items() if value is not None)])


def _run(command: list[str]) -> None:
    """Run the command, print what it prints, and raise RuntimeError with its reason if it fails."""
    with subprocess.Popen(  # noqa: S603 - the Worker's own command
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
    ) as process:
        last = _pass_on(process.stderr or ())
        code = process.wait()
    if code:
        _, is_told, reason = last.partition(_NOT_CREATED)
        raise RuntimeError(
            reason.strip() if is_told else f"The list was not created: {last.strip() or f'exit code {code}'}"
        )
    sys.stderr.write(last)


def _pass_on(lines: Iterable[str]) -> str:
    """Print all lines but the last, which is returned."""
    last = ""
    for line in lines:
        sys.stderr.write(last)
        last = line
    return last
