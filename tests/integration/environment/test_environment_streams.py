"""Plans and tasks that take the standard streams away: what fails is still told, and the next one prints again."""

import pytest
from queueserver.common.v1 import item_pb2 as pb

from tests.integration.environment.environment_child import EnvironmentChild

STARTUP = """
import io, logging, os, sys, threading
import bluesky.plan_stubs as bps

logging.getLogger("bluesky").addHandler(logging.StreamHandler())
threading.Thread(target=threading.Event().wait, name="left behind").start()

class Hostile:
    def write(self, text):
        raise SystemExit("no text is taken here")
    flush = write

def replace(stream):
    sys.stderr = stream

def delete():
    del sys.stderr

WAYS = {
    "closed": lambda: sys.stderr.close(),
    "closed below": lambda: sys.stderr.buffer.close(),
    "none": lambda: replace(None),
    "deleted": delete,
    "hostile": lambda: replace(Hostile()),
    "detached": lambda: sys.stderr.detach(),
    "descriptor": lambda: os.close(2),
    "both descriptors": lambda: (os.close(1), os.close(2)),
    "not blocking": lambda: os.set_blocking(2, False),
}

def failing_plan(way):
    WAYS[way]()
    yield from bps.null()
    raise ValueError(f"the plan's own error, {way}")

def failing_function(way):
    WAYS[way]()
    raise ValueError(f"the function's own error, {way}")

def speaking_plan(text):
    yield from bps.null()
    print(text, "on standard output")
    print(text, "on standard error", file=sys.stderr)
"""
WAYS = (
    "closed",
    "closed below",
    "none",
    "deleted",
    "hostile",
    "detached",
    "descriptor",
    "both descriptors",
    "not blocking",
)


def expect_speech(child: EnvironmentChild, way: str) -> None:
    """Run a plan that prints, and wait for all that it prints."""
    assert child.run("speaking_plan", way).exit_status == pb.EXIT_STATUS_COMPLETED
    child.wait_for_output(f"{way} on standard output\n")
    child.wait_for_output(f"{way} on standard error\n")


@pytest.mark.parametrize("way", WAYS)
def test_a_plan_that_fails_without_standard_error_has_its_own_error(hardy: EnvironmentChild, way: str) -> None:
    result = hardy.run("failing_plan", way)
    assert (result.exit_status, result.failure_cause) == (pb.EXIT_STATUS_FAILED, pb.FAILURE_CAUSE_PLAN_ERROR)
    assert result.message == f"Plan failed: the plan's own error, {way}"
    hardy.wait_for_output(f"{result.message}\n")
    expect_speech(hardy, way)


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_task_that_fails_without_standard_error_has_its_own_error(
    hardy: EnvironmentChild, way: str, in_background: bool
) -> None:
    call = {"name": "failing_function", "args": [way]}
    result = hardy.task(f"task {way} {in_background}", function=call, in_background=in_background)
    assert not result.success
    assert f"the function's own error, {way}" in result.message
    expect_speech(hardy, way)
