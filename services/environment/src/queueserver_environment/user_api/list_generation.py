"""The list of plans and devices in a file, for scripts and installers; as the command qserver-list-plans-devices."""

import argparse
from pathlib import Path

from queueserver_inventory.list_file import FILE_NAME
from queueserver_worker.list_generation import generate_list
from queueserver_worker.startup_options import (
    StartupOptionError,
    StartupOptions,
    add_startup_options,
    read_startup_options,
)


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
    options = _options(
        {
            "--startup-profile": startup_profile,
            "--startup-dir": startup_dir,
            "--startup-module": startup_module_name,
            "--startup-script": startup_script_path,
            "--ipython-dir": ipython_dir,
            "--device-max-depth": str(device_max_depth) if device_max_depth else None,
        }
    )
    generate_list(options, file, ignore_invalid_plans=ignore_invalid_plans)


def _options(given: dict[str, str | None]) -> StartupOptions:
    """Read the arguments as the options of the same meaning, so that both follow the same rules."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_startup_options(parser)
    words = [f"{name}={value}" for name, value in given.items() if value is not None]
    try:
        return read_startup_options(parser.parse_args(words))
    except (StartupOptionError, argparse.ArgumentError) as error:
        raise RuntimeError(f"The startup code can't be loaded: {error}.") from error
