"""The list of plans and devices as Python code makes it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from queueserver_environment.user_api import gen_list_of_plans_and_devices

from tests.integration.environment.environment_child import MakeFolder

PLAN = "from ophyd.sim import det\ndef nothing():\n    yield from ()\n"
BROKEN = """
from bluesky_queueserver import parameter_annotation_decorator
@parameter_annotation_decorator({"parameters": {"x": {"annotation": "Nope"}}})
def broken(x):
    yield from ()
"""


def listed(file: Path) -> tuple[list[str], list[str]]:
    """Names of the plans and devices in a file."""
    content = yaml.safe_load(file.read_text())
    return list(content["existing_plans"]), list(content["existing_devices"])


def test_code_lists_plans_and_devices_and_overwrites_only_if_asked(startup: MakeFolder, tmp_path: Path) -> None:
    folder = startup(a=PLAN)
    gen_list_of_plans_and_devices(startup_dir=str(folder), file_dir=str(tmp_path))
    assert listed(tmp_path / "existing_plans_and_devices.yaml") == (["nothing"], ["det"])
    with pytest.raises(RuntimeError, match="give overwrite=True"):
        gen_list_of_plans_and_devices(startup_dir=str(folder), file_dir=str(tmp_path))
    startup(b="def another():\n    yield from ()\n")
    gen_list_of_plans_and_devices(startup_dir=str(folder), file_dir=str(tmp_path), overwrite=True)
    assert listed(tmp_path / "existing_plans_and_devices.yaml") == (["another", "nothing"], ["det"])


def test_a_broken_plan_is_an_error_unless_it_may_be_left_out(startup: MakeFolder, tmp_path: Path) -> None:
    script = startup(a=PLAN + BROKEN) / "a.py"
    with pytest.raises(RuntimeError, match="broken"):
        gen_list_of_plans_and_devices(startup_script_path=str(script), file_dir=str(tmp_path), file_name="list.yaml")
    assert not (tmp_path / "list.yaml").exists()
    gen_list_of_plans_and_devices(
        startup_script_path=str(script), file_dir=str(tmp_path), file_name="list.yaml", ignore_invalid_plans=True
    )
    assert listed(tmp_path / "list.yaml")[0] == ["nothing"]


def test_what_can_not_be_meant_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    for arguments, sentence in (
        ({}, "Say where the startup code is"),
        ({"startup_dir": str(tmp_path), "startup_module_name": "m"}, "choose one source"),
        ({"startup_dir": str(tmp_path / "missing")}, "There is no directory"),
        ({"startup_dir": str(tmp_path), "device_max_depth": -1}, "is not a number of levels"),
    ):
        with pytest.raises(RuntimeError, match=sentence):
            gen_list_of_plans_and_devices(file_dir=str(tmp_path), **arguments)  # type: ignore[arg-type] # of many types
    with pytest.raises(RuntimeError, match="plain Python"):
        gen_list_of_plans_and_devices(startup_dir=str(tmp_path), use_ipython_kernel=True)
