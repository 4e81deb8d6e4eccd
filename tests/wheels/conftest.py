"""Wheels of all packages, and empty environments into which some of them are installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.harness.services import COMMANDS, REPOSITORY

Install = Callable[..., Path]


def run(*command: str | Path, **options: object) -> str:
    """What a command prints; a failure shows all of it."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    return str(ended.stdout)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel of each member of the repository."""
    directory = tmp_path_factory.mktemp("wheels")
    for member in sorted(
        path.parent
        for path in REPOSITORY.glob("*/**/pyproject.toml")
        if not any(part.startswith(".venv") for part in path.parts)
    ):
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory, cwd=member)
    return directory


@pytest.fixture
def install(wheels: Path, tmp_path: Path) -> Install:
    """Installs packages by name into an empty environment; answers where its programs are."""

    def into_empty(*names: str, lowest: bool = False) -> Path:
        place = tmp_path / "environment"
        uv = COMMANDS / "uv"
        run(uv, "venv", "--quiet", "--python", sys.executable, place)
        python = place / "bin" / "python"
        requirements = list(_requirements(wheels, names))
        if lowest:
            # Only what is named is installed in its lowest version, so everything that is needed is named.
            versions = ["--resolution", "lowest-direct"]
        else:
            versions = ["--constraint", str(REPOSITORY / "requirements.lock")]
        run(uv, "pip", "install", "--quiet", "--python", python, *versions, *requirements)
        return place / "bin"

    return into_empty


def _requirements(wheels: Path, names: Sequence[str]) -> Iterator[str]:
    """The wheels of some packages and of those of ours that they need, and what all of them need of others."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        wheel = next(iter(wheels.glob(f"{name.replace('-', '_')}-*.whl")))
        yield str(wheel)
        with zipfile.ZipFile(wheel) as archive:
            (about,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
            needs = message_from_bytes(archive.read(about)).get_all("Requires-Dist", [])
        for need in needs:
            if need.startswith("queueserver-"):
                waiting.append(need)
            elif "extra ==" not in need:
                yield need
