"""Run the unit tests and some plans on other Pythons: the oldest and the newest supported ones that are installed here
beside the one of `.venv`. `make test-pythons` calls it. Each gets a virtual environment of its own, `.venv-3.X`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SUPPORTED: Final = ("3.10", "3.11", "3.12", "3.13", "3.14")
TESTS: Final = ("tests/unit", "tests/e2e/test_execution.py")
TOP: Final = Path(__file__).parents[1]
PYENV: Final = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


def main() -> int:
    """Run them; return the exit code."""
    own = "{}.{}".format(*sys.version_info)
    found = {version: python for version in SUPPORTED if version != own and (python := find(version))}
    if not found:
        sys.stdout.write(
            f"No supported Python ({', '.join(SUPPORTED)}) is installed here beside {own}: nothing to do.\n"
        )
        return 0
    return max(
        test(version, found[version]) for version in sorted({min(found, key=order), max(found, key=order)}, key=order)
    )


def order(version: str) -> int:
    """Give the place of a version among the supported ones."""
    return SUPPORTED.index(version)


def find(version: str) -> str | None:
    """Find a Python of this version that can be run."""
    return next(filter(is_runnable, candidates(version)), None)


def candidates(version: str) -> Iterator[str]:
    """List where a Python of this version may be."""
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield on_path
    yield from sorted(map(str, PYENV.glob(f"versions/{version}.*/bin/python")), reverse=True)


def is_runnable(python: str) -> bool:
    """Tell whether it runs; pyenv puts programs on the path that only say that there is none."""
    return subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0


def test(version: str, python: str) -> int:
    """Run the tests on one Python; return the exit code."""
    folder = f".venv-{version}"
    sys.stdout.write(f"\n=== Python {version}: {python}\n")
    sys.stdout.flush()
    setup = subprocess.run(
        ["make", "--no-print-directory", "setup", f"VENV={folder}", f"PYTHON={python}"], cwd=TOP, check=False
    )
    if setup.returncode != 0:
        return setup.returncode
    options = ("-p", "no:cacheprovider", "--timeout", "180", "--numprocesses", "3")
    return subprocess.run([f"{folder}/bin/pytest", *options, *TESTS], cwd=TOP, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
