"""What startup code imports from us, where nothing is installed that bluesky does not bring."""

import json
import sys
from pathlib import Path

import pytest

from tests.integration.environment.absent_packages import leave_out_packages
from tests.integration.environment.environment_child import MakeFolder, environment_child


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_packages(tmp_path, monkeypatch)


def test_plans_are_bound_checked_and_explained(startup: MakeFolder) -> None:
    offered = (
        "from bluesky_queueserver import bind_plan_arguments, construct_parameters, format_text_descriptions\n"
        "from bluesky_queueserver import gen_list_of_plans_and_devices, validate_plan, register_device\n"
        "plan = {'name': 'p', 'parameters': [{'name': 'a', 'kind': {'name': 'POSITIONAL_OR_KEYWORD', 'value': 1},\n"
        "                                     'annotation': {'type': 'typing.List[int]'}}]}\n"
        "assert bind_plan_arguments(plan_args=[[1]], plan_kwargs={}, plan_parameters=plan).arguments == {'a': [1]}\n"
        "assert construct_parameters(plan['parameters'])[0].name == 'a'\n"
        "assert format_text_descriptions(plan)['parameters'].keys() == {'a'}\n"
        "item = {'name': 'p', 'args': [[1]]}\n"
        "assert validate_plan(item, allowed_plans={'p': plan}, allowed_devices=None) == (True, '')\n"
    )
    with environment_child("--startup-dir", startup(a=offered), "--keep-re") as child:
        assert not child.ready().inventory.issues


def test_lists_are_made_by_the_command_that_the_supervisor_gave(startup: MakeFolder, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; open(sys.argv[1].partition('=')[2] + '/told', 'w').write(str(sys.argv))",
    ]
    code = "from bluesky_queueserver import gen_list_of_plans_and_devices as make\n"
    code += f"make(startup_dir={str(tmp_path)!r}, file_dir={str(tmp_path)!r}, ignore_invalid_plans=True)\n"
    with environment_child("--startup-dir", startup(a=code), "--list-command", json.dumps(command)) as child:
        child.ready()
    told = (tmp_path / "told").read_text()
    assert f"'--file-dir={tmp_path}', '--file-name=existing_plans_and_devices.yaml'" in told
    assert "'--ignore-invalid-plans=ON'" in told
