"""Plans and tasks that take the standard streams away: what fails is still told, and the next one prints again."""

import pytest
from queueserver.common.v1 import item_pb2 as pb

from tests.integration.environment.environment_child import EnvironmentChild, MakeFolder, environment_child

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

def replace_both(stream):
    sys.stdout = sys.stderr = stream

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
    "no output either": lambda: replace_both(None),
    "hostile output too": lambda: replace_both(Hostile()),
}

def failing_plan(way):
    yield from bps.open_run()
    WAYS[way]()
    yield from bps.null()
    raise ValueError(f"the plan's own error, {way}")

def failing_function(way):
    WAYS[way]()
    raise ValueError(f"the function's own error, {way}")

def printing_surrogates():
    print("half a pair: \\ud800", file=sys.stderr, end="")

def printing_much():
    print("x" * 60_000_000)

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
    "no output either",
    "hostile output too",
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
    assert hardy.documents("stop")[-1].exit_status == "fail"
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


def test_it_is_told_that_a_stream_was_taken_away(hardy: EnvironmentChild) -> None:
    hardy.task("taking", function={"name": "failing_function", "args": ["none"]})
    hardy.wait_for_output("sys.stderr was closed, or replaced by what can't be written to; it is opened again.\n")


def test_a_background_task_that_prints_what_is_no_text_or_far_too_much_has_its_outcome(hardy: EnvironmentChild) -> None:
    for call in ("printing_surrogates", "printing_much"):
        assert hardy.task(call, function={"name": call}, in_background=True).success
    printed = "".join(
        frame.task_printed.text for frame in hardy.frames if frame.task_printed.task_uid == "printing_much"
    )
    assert len(printed) == 60_000_001


SABOTAGED = """
import threading
import bluesky.plan_stubs as bps
import queueserver_environment.plans.execution as ours

threading.Thread(target=threading.Event().wait, name="left behind").start()

def fail(*_):
    raise RuntimeError("a defect of the server's own")

def breaking_plan():
    ours.now = fail
    yield from bps.null()
"""


def test_an_environment_that_fails_itself_ends_with_a_traceback_instead_of_leaving_a_plan_without_an_outcome(
    startup: MakeFolder,
) -> None:
    with environment_child("--startup-dir", startup(a=SABOTAGED)) as child:
        child.ready()
        child.submit("execution", "breaking_plan")
        assert child.wait() == 1
        assert "The environment ends, because it failed itself." in child.stderr
        assert "a defect of the server's own" in child.stderr


@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1"])
def test_text_is_printed_whatever_the_locale_is(
    startup: MakeFolder, monkeypatch: pytest.MonkeyPatch, locale: str
) -> None:
    for name, value in {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    with environment_child("--startup-dir", startup(a="print('Ångström 日本 \\ud800')\n")) as child:
        child.ready()
        child.wait_for_output("Ångström 日本 \\ud800\n")
