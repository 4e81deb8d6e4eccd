"""Startup code that was written for bluesky-queueserver, with and without that package installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.environment.environment_child import MakeFolder, environment_child

#: As much of the other package as decides whether the code finds it, and what it tells the code.
THEIRS = {
    "bluesky_queueserver/__init__.py": "from .manager.profile_tools import is_re_worker_active\nmine = 'theirs'\n",
    "bluesky_queueserver/manager/__init__.py": "",
    "bluesky_queueserver/manager/profile_tools.py": (
        "import os\nclass Namespace:\n"
        "    def set_user_namespace(self, *, user_ns, use_ipython=True):\n"
        "        self.user_ns, self.use_ipython = user_ns, use_ipython\n"
        "global_user_namespace = Namespace()\n"
        "def is_re_worker_active():\n    return os.environ.get('_QSERVER_RE_WORKER_ACTIVE') == '1'\n"
    ),
}
WRITTEN_FOR_THEM = """
import bluesky_queueserver as bqs
from bluesky_queueserver import is_re_worker_active, parameter_annotation_decorator, register_device, register_plan
from bluesky_queueserver.manager.annotation_decorator import parameter_annotation_decorator as other
from ophyd.sim import det, motor
import lib.tools
assert other is parameter_annotation_decorator is bqs.manager.annotation_decorator.parameter_annotation_decorator
print("in a worker:", is_re_worker_active(), bqs.is_ipython_mode(), bqs.__version__)
register_device("motor", exclude=True)
register_plan("hidden", exclude=True)
def hidden():
    yield from ()
@parameter_annotation_decorator({"description": "Wait.", "parameters": {"time": {"min": 0, "max": 9.5}}})
def wait(time: float = 1):
    yield from lib.tools.sleep_beside("det", time)
"""
A_MODULE = """
from bluesky.plan_stubs import null
from bluesky_queueserver.manager.profile_tools import is_re_worker_active, load_devices_from_happi, set_user_ns
@set_user_ns
def sleep_beside(name, time, *, user_ns, ipython):
    print("beside", user_ns[name].name, "for", time, ipython)
    yield from null()
"""


def test_code_runs_unmodified_without_the_package(startup: MakeFolder) -> None:
    folder = startup(a=WRITTEN_FOR_THEM)
    (folder / "lib").mkdir()
    (folder / "lib" / "tools.py").write_text(A_MODULE)
    with environment_child("--startup-dir", folder) as child:
        inventory = child.ready().inventory
        assert not child.run("wait").message
        child.wait_for_output("beside det for 1 None")
    assert "in a worker: True False 0.0.25" in child.stdout
    assert ([plan.name for plan in inventory.plans], [device.name for device in inventory.devices]) == (
        ["wait"],
        ["det"],
    )
    (parameter,) = inventory.plans[0].parameters
    assert (inventory.plans[0].description, parameter.minimum, parameter.maximum) == ("Wait.", 0, 9.5)


def test_what_is_not_offered_is_an_error_that_names_what_is(startup: MakeFolder) -> None:
    folder = startup(
        a="import bluesky_queueserver as bqs, importlib.util\n"
        "def told(text):\n    try:\n        exec(text)\n    except (ImportError, AttributeError) as error:\n"
        "        print(type(error).__name__, error)\n"
        "told('from bluesky_queueserver import REManagerAPI')\n"
        "told('bqs.start_manager')\n"
        "told('import bluesky_queueserver.manager.worker')\n"
        "told('from bluesky_queueserver.manager.profile_tools import nope')\n"
    )
    with environment_child("--startup-dir", folder) as child:
        child.ready()
    lines = child.stdout.splitlines()
    why = "bluesky_queueserver is not installed here, and what stands in for it offers only"
    # What stands before these names and behind them depends on whether this Python has pyzmq.
    assert lines[1].startswith(f"ModuleNotFoundError bluesky_queueserver has no REManagerAPI: {why} ")
    assert " bind_plan_arguments, " in lines[1]
    assert ", validate_plan" in lines[1]
    assert lines[2].startswith(f"AttributeError bluesky_queueserver has no start_manager: {why} ")
    assert lines[3].startswith(
        f"ModuleNotFoundError bluesky_queueserver.manager has no worker: {why} annotation_decorator"
    )
    assert "bluesky_queueserver.manager.profile_tools has no nope" in lines[4]


def test_where_the_package_is_installed_it_is_used_and_knows_where_it_runs(
    startup: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in THEIRS.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]))
    folder = startup(
        a="import bluesky_queueserver as bqs\nfrom bluesky_queueserver.manager import profile_tools\nx = 5\n"
        "space = profile_tools.global_user_namespace\n"
        "print('found', bqs.mine, bqs.is_re_worker_active(), space.user_ns['x'], space.use_ipython)\n"
        "try:\n    import bluesky_queueserver.manager.nope\nexcept ImportError as error:\n    print('told:', error)\n"
    )
    with environment_child("--startup-dir", folder) as child:
        child.ready()
    assert "found theirs True 5 False" in child.stdout
    assert "told: No module named 'bluesky_queueserver.manager.nope'" in child.stdout
