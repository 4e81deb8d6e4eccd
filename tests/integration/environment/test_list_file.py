"""The file in which a real environment lists its plans and devices: when it is written, and what if it can't be."""

import uuid
from pathlib import Path

import pytest
from queueserver.common.v1.inventory_pb2 import Inventory
from queueserver_inventory.description_messages import plans_of
from queueserver_inventory.list_file import read_list

from tests.integration.environment.environment_child import EnvironmentChild, MakeFolder, environment_child

STARTUP = """
from ophyd.sim import det1, motor1

def measure(detectors, num: int = 1):
    yield from []
"""


def plans_in(file: Path) -> list[str]:
    return [plan.name for plan in read_list(file.read_text()).plans]


def define_plan(child: EnvironmentChild) -> None:
    script = {"text": "def another():\n    yield from []\n"}
    assert child.task(str(uuid.uuid4()), script=script).success


def test_the_file_says_what_the_environment_says(startup: MakeFolder, tmp_path: Path) -> None:
    file = tmp_path / "lists.yaml"
    file.write_text("an old file, longer than nothing")
    with environment_child("--startup-dir", startup(a=STARTUP), "--existing-plans-devices", file) as child:
        told = child.ready().inventory
        assert not told.issues
        listed = read_list(file.read_text())
        assert listed.plans == plans_of(told.plans)
        assert [device.name for device in listed.devices] == [device.name for device in told.devices]
        assert {path.name for path in tmp_path.iterdir()} == {"lists.yaml", "startup"}


def test_a_file_that_says_the_same_already_is_not_touched(startup: MakeFolder, tmp_path: Path) -> None:
    file = tmp_path / "lists.yaml"
    written = []
    for _ in range(2):
        with environment_child("--startup-dir", startup(a=STARTUP), "--existing-plans-devices", file) as child:
            child.ready()
        written.append(file.stat().st_ino)
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("policy", "plans"), [("ENVIRONMENT_OPEN", ["measure"]), ("ALWAYS", ["another", "measure"]), ("NEVER", None)]
)
def test_how_often_it_is_written_follows_the_option(
    startup: MakeFolder, tmp_path: Path, policy: str, plans: list[str] | None
) -> None:
    file = tmp_path / "lists.yaml"
    options = ["--existing-plans-devices", file, "--update-existing-plans-devices", policy]
    with environment_child("--startup-dir", startup(a=STARTUP), *options) as child:
        child.ready()
        define_plan(child)
        assert (plans_in(file) if file.exists() else None) == plans


def issues_of(inventory: Inventory) -> list[str]:
    return [issue.message for issue in inventory.issues]


def test_a_file_that_cant_be_written_is_an_issue_until_it_can_and_nothing_else(
    startup: MakeFolder, tmp_path: Path
) -> None:
    file = tmp_path / "later" / "lists.yaml"
    options = ["--existing-plans-devices", file, "--update-existing-plans-devices", "ALWAYS", "--strict-startup"]
    with environment_child("--startup-dir", startup(a=STARTUP), *options) as child:
        (told,) = issues_of(child.ready().inventory)
        assert told.startswith(f"The list of plans and devices can't be written to {file} (No such file or directory)")
        child.wait_for_output(told)
        file.parent.mkdir()
        since = len(child.frames)
        define_plan(child)
        updated = child.wait_for(lambda frame: frame.HasField("updated"), since=since).updated
        assert not issues_of(updated.inventory)
        assert plans_in(file) == ["another", "measure"]
