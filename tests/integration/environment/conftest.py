"""Fixtures: startup folders made on the spot, and one environment with the demo startup code for many tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.environment.environment_child import (
    EXAMPLES,
    EnvironmentChild,
    MakeFolder,
    environment_child,
)


@pytest.fixture
def startup(tmp_path: Path) -> MakeFolder:
    """Write startup files, given by name and text, into a folder of their own."""

    def make(**files: str) -> Path:
        folder = tmp_path / "startup"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        return folder

    return make


@pytest.fixture(scope="module")
def demo() -> Iterator[EnvironmentChild]:
    """An environment with the demo startup code, ready for plans."""
    with environment_child("--startup-dir", EXAMPLES) as child:
        child.ready()
        yield child


@pytest.fixture(scope="module")
def hardy(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[EnvironmentChild]:
    """An environment with the startup code that the requesting module has under the name STARTUP."""
    folder = tmp_path_factory.mktemp("startup")
    (folder / "startup.py").write_text(request.module.STARTUP)
    with environment_child("--startup-dir", folder) as child:
        child.ready()
        yield child
