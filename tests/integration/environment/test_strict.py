"""Startup code that loads, but not all of which can be used: left out, or refused if that was asked for."""

from __future__ import annotations

from queueserver.common.v1 import environment_pb2 as pb
from queueserver.common.v1.inventory_pb2 import INVENTORY_ISSUE_KIND_PLAN, INVENTORY_ISSUE_KIND_STARTUP_CODE

from tests.integration.environment.environment_child import MakeFolder, environment_child

GOOD = "from bluesky.plan_stubs import null\ndef nothing():\n    yield from null()\n"
BROKEN = """
from bluesky_queueserver import parameter_annotation_decorator, register_plan
register_plan("missing")
@parameter_annotation_decorator({"parameters": {"x": {"annotation": "Nope"}}})
def broken(x):
    yield from ()
"""


def test_what_can_not_be_used_is_left_out_and_listed_with_its_place(startup: MakeFolder) -> None:
    folder = startup(a=GOOD, b=BROKEN)
    with environment_child("--startup-dir", folder) as child:
        inventory = child.ready().inventory
        child.wait_for_output("broken")
        assert not child.run("nothing").message
    assert [plan.name for plan in inventory.plans] == ["nothing", "null"]
    issues = {issue.name: issue for issue in inventory.issues}
    assert (issues["broken"].kind, issues["broken"].file) == (INVENTORY_ISSUE_KIND_PLAN, str(folder / "b.py"))
    assert issues["broken"].line in {4, 5}
    assert issues["missing"].kind == INVENTORY_ISSUE_KIND_STARTUP_CODE


def test_a_strict_start_refuses_it_with_all_reasons(startup: MakeFolder) -> None:
    folder = startup(a=GOOD, b=BROKEN)
    with environment_child("--startup-dir", folder, "--strict-startup") as child:
        failure = child.failure()
        assert child.wait() == 1
    assert failure.message.startswith("The startup code has 2 things that can't be used")
    assert "broken" in failure.message
    assert "register_plan('missing')" in failure.message
    assert (failure.file, failure.exception_type) == (str(folder / "b.py"), "")


def test_a_strict_start_opens_with_code_that_is_all_right(startup: MakeFolder) -> None:
    with environment_child("--startup-dir", startup(a=GOOD), "--strict-startup") as child:
        assert not child.ready().inventory.issues


def test_many_reasons_are_counted_and_the_first_are_told(startup: MakeFolder) -> None:
    text = "".join(f"register_plan('missing_{number}')\n" for number in range(12))
    with environment_child(
        "--startup-dir", startup(a=f"from bluesky_queueserver import register_plan\n{text}"), "--strict-startup"
    ) as child:
        failure = child.failure()
        child.wait()
    assert "12 things" in failure.message
    assert failure.message.endswith("(The console shows 7 more.)")
    assert all(f"missing_{number}" in child.stderr for number in range(12))


def test_a_name_re_that_is_no_run_engine_is_kept_and_no_other_is_made(startup: MakeFolder) -> None:
    folder = startup(a=GOOD + "RE = 'mine'\n")
    with environment_child("--startup-dir", folder) as child:
        ready = child.ready()
        assert "no RunEngine" in child.run("nothing").message
    assert ready.run_engine_state == pb.RUN_ENGINE_STATE_UNSPECIFIED
    assert "RE is of type str and no RunEngine of bluesky" in ready.inventory.issues[0].message


def test_device_trees_are_listed_to_the_depth_that_is_asked_for(startup: MakeFolder) -> None:
    folder = startup(a="from ophyd.sim import motor\n")
    for arguments, components in (
        ((), True),
        (("--device-max-depth", "1"), False),
        (("--device-max-depth", "2"), True),
    ):
        with environment_child("--startup-dir", folder, *arguments) as child:
            (motor,) = child.ready().inventory.devices
        assert bool(motor.components) == components
