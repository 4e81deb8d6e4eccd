"""The command qserver-list-plans-devices with real startup code."""

import subprocess
from pathlib import Path

import pytest
from queueserver_environment.user_api.list_generation import gen_list_of_plans_and_devices
from queueserver_inventory.list_file import FILE_NAME, read_list

from tests.harness.services import COMMANDS, DEMO_STARTUP
from tests.integration.environment.environment_child import MakeFolder

CREATED = "The list of existing plans and devices was created successfully.\n"
GOOD = """
from bluesky_queueserver import is_re_worker_active
print("hello from startup code", is_re_worker_active())

def measure(num: int = 1):
    yield from []
"""
WITH_A_BAD_PLAN = (
    GOOD
    + """
from bluesky_queueserver import parameter_annotation_decorator

@parameter_annotation_decorator({"parameters": {"a": {"annotation": "Nope"}}})
def bad(a):
    yield from []
"""
)


def run(*options: str | Path, folder: Path) -> tuple[int, str, str]:
    command = [COMMANDS / "qserver-list-plans-devices", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def plans_in(file: Path) -> list[str]:
    return [plan.name for plan in read_list(file.read_text()).plans]


def test_it_lists_the_demo_and_says_so(tmp_path: Path) -> None:
    code, output, log = run("--startup-dir", DEMO_STARTUP, folder=tmp_path)
    assert (code, output) == (0, CREATED), log
    assert "loading 00-devices.py" in log
    inventory = read_list((tmp_path / FILE_NAME).read_text())
    assert {"count", "measure_sample"} <= {plan.name for plan in inventory.plans}
    assert {"det1", "sim_bundle_A", "async_sample"} <= {device.name for device in inventory.devices}


def test_what_startup_code_prints_goes_to_standard_output_and_it_hears_that_it_is_in_a_worker(
    startup: MakeFolder, tmp_path: Path
) -> None:
    code, output, log = run(
        "--startup-script", startup(a=GOOD) / "a.py", "--file-dir", tmp_path, "--file-name", "x.yaml", folder=Path("/")
    )
    assert (code, output) == (0, f"hello from startup code True\n{CREATED}"), log
    assert plans_in(tmp_path / "x.yaml") == ["measure"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\nraise RuntimeError('no beam')\n", "RuntimeError in a.py, line 2: no beam; correct it and try again."),
        ("import sys\nsys.exit(0)\n", "called exit (0) in a.py, line 2; remove the call and try again."),
        ("\0", "a.py has zero bytes, so it is not a Python file: correct it and try again."),
        ("import os\nos._exit(0)\n", "ended the process"),
        ("import os\nos.kill(os.getpid(), 9)\n", "ended early (signal 9)"),
        ("def f(:\n", "SyntaxError in a.py, line 1"),
        (WITH_A_BAD_PLAN, "The plan bad was left out. Parameter a: The type 'Nope' is not known"),
    ],
)
def test_code_that_an_environment_would_not_take_leaves_the_old_list(
    startup: MakeFolder, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / FILE_NAME
    file.write_text("old")
    code, output, log = run("--startup-dir", startup(a=text), "--keep-re", folder=tmp_path)
    assert code == 1
    assert CREATED not in output
    assert "was not created" in log.splitlines()[-1]
    assert told in log.splitlines()[-1]
    assert file.read_text() == "old"


def test_plans_that_cant_be_described_can_be_left_out(startup: MakeFolder, tmp_path: Path) -> None:
    code, output, log = run(
        "--startup-dir", startup(a=WITH_A_BAD_PLAN), "--keep-re", "--ignore-invalid-plans", "ON", folder=tmp_path
    )
    assert (code, output[-len(CREATED) :]) == (0, CREATED)
    assert "The plan bad was left out." in log
    assert plans_in(tmp_path / FILE_NAME) == ["measure"]


def test_depth_and_threads_of_startup_code_are_as_in_an_environment(startup: MakeFolder, tmp_path: Path) -> None:
    text = "import threading\nfrom ophyd.sim import motor1\nthreading.Thread(target=threading.Event().wait).start()\n"
    code, _, log = run("--startup-dir", startup(a=text), "--device-max-depth", "1", folder=tmp_path)
    assert code == 0, log
    (device,) = read_list((tmp_path / FILE_NAME).read_text()).devices
    assert (device.name, len(device.components)) == ("motor1", 0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Say where the startup code is: give one of --startup-dir"),
        (["--startup-dir", "/nowhere"], "There is no directory /nowhere: give --startup-dir a directory"),
        (["--startup-dir", ".", "--startup-module", "x"], "--startup-dir and --startup-module exclude each other"),
        (["--startup-dir", ".", "--use-ipython-kernel", "ON"], "--use-ipython-kernel can't be ON"),
    ],
)
def test_a_source_that_can_not_be_used_is_told_in_one_sentence(
    options: list[str], sentence: str, tmp_path: Path
) -> None:
    code, output, log = run(*options, folder=tmp_path)
    assert (code, output, len(log.splitlines())) == (1, "", 1)
    assert f"was not created. {sentence}" in log


def test_wrong_usage_is_told_in_one_line(tmp_path: Path) -> None:
    code, output, log = run("--no-such-option", folder=tmp_path)
    assert (code, output, len(log.splitlines())) == (2, "", 1)
    assert "--no-such-option" in log


def test_the_options_of_existing_scripts_work_from_the_directory_itself(startup: MakeFolder) -> None:
    folder = startup(a=GOOD)
    options = ("--startup-dir", ".", "--use-ipython-kernel", "OFF", "--ignore-invalid-plans", "OFF")
    code, output, _ = run(*options, folder=folder)
    assert (code, output.splitlines()[-1]) == (0, CREATED.strip())
    assert plans_in(folder / FILE_NAME) == ["measure"]


def test_a_directory_that_does_not_exist_is_told(startup: MakeFolder, tmp_path: Path) -> None:
    code, _, log = run("--startup-dir", startup(a=GOOD), "--file-dir", tmp_path / "nowhere", folder=tmp_path)
    assert code == 1
    assert "create it, or name another one" in log


def test_code_can_make_the_list_itself_and_overwrites_only_if_asked(startup: MakeFolder, tmp_path: Path) -> None:
    folder = str(startup(a=WITH_A_BAD_PLAN))
    gen_list_of_plans_and_devices(startup_dir=folder, file_dir=str(tmp_path), ignore_invalid_plans=True)
    assert plans_in(tmp_path / FILE_NAME) == ["measure"]
    with pytest.raises(RuntimeError, match="overwrite=True"):
        gen_list_of_plans_and_devices(startup_dir=folder, file_dir=str(tmp_path), ignore_invalid_plans=True)
    with pytest.raises(RuntimeError, match="'Nope' is not known"):
        gen_list_of_plans_and_devices(startup_dir=folder, file_dir=str(tmp_path), overwrite=True)
    with pytest.raises(RuntimeError, match="Say where the startup code is"):
        gen_list_of_plans_and_devices(file_dir=str(tmp_path), overwrite=True)
