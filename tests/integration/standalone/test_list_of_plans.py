"""start-re-manager and the file that lists plans and devices: who writes it where, and what it is good for."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_client import AsyncClient, Plan, PlanNotFound
from queueserver_standalone.configuration.settings import parse

from tests.harness.services import DEMO_STARTUP
from tests.harness.stack import running_stack
from tests.harness.wait import bounded

NAME = "existing_plans_and_devices.yaml"
UPDATE = "--update-existing-plans-devices"
STARTUP = "def measure(num: int = 1):\n    yield from []\n"


def writes(*options: str | Path) -> list[str]:
    return parse([str(option) for option in options]).files.worker_arguments


def test_by_default_the_file_is_written_into_the_startup_directory(tmp_path: Path) -> None:
    expected = ["--existing-plans-devices", str(tmp_path / NAME), UPDATE, "ENVIRONMENT_OPEN"]
    assert writes("--startup-dir", tmp_path) == expected


def test_a_file_or_directory_can_be_named_for_any_startup_code(tmp_path: Path) -> None:
    for path, file in ((tmp_path, tmp_path / NAME), (tmp_path / "my.yaml", tmp_path / "my.yaml")):
        options = ("--startup-module", "beamline", "--existing-plans-devices", path, UPDATE, "ALWAYS")
        assert writes(*options) == ["--existing-plans-devices", str(file), UPDATE, "ALWAYS"]
    assert writes("--startup-module", "beamline") == []


@pytest.mark.parametrize("options", [[], ["--startup-dir", DEMO_STARTUP], [UPDATE, "ALWAYS"]])
def test_nothing_is_ever_written_into_the_demo(options: list[str | Path]) -> None:
    assert writes(*options)[-2:] == [UPDATE, "NEVER"]


async def test_once_an_environment_was_open_plans_are_known_to_a_server_that_never_opened_one(tmp_path: Path) -> None:
    (tmp_path / "startup.py").write_text(STARTUP)
    with running_stack(UPDATE, "ENVIRONMENT_OPEN", startup=tmp_path) as stack:
        async with AsyncClient(stack.address) as client:
            await bounded(client.environment.open())
    assert "measure" in (tmp_path / NAME).read_text()
    with running_stack(startup=tmp_path) as stack:
        async with AsyncClient(stack.address) as client:
            handle = await bounded(client.queue.add(Plan("measure", num=3)))
            assert handle.uid
            with pytest.raises(PlanNotFound):
                await bounded(client.queue.add(Plan("nope")))
