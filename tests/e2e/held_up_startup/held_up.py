"""Startup code of the end-to-end tests: plans that ask people, are suspended, or wait long for a device."""

import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

import bluesky.plan_stubs as bps
from bluesky import Msg, RunEngine
from bluesky.suspenders import SuspendBoolLow, SuspendFloor

Messages = Generator[Any, Any, Any]

RE = RunEngine({}, context_managers=[])


class Switch:
    """A signal that tests put on and off."""

    parent = None

    def __init__(self, name: str, value: float) -> None:
        self.name = name
        self._value = value
        self._told: list[Callable[..., None]] = []

    def get(self) -> float:
        return self._value

    def put(self, value: float) -> None:
        self._value = value
        for tell in self._told:
            tell(value=value)

    def subscribe(self, tell: Callable[..., None], event_type: Any = None, run: bool = True) -> None:
        del event_type
        self._told.append(tell)
        if run:
            tell(value=self._value)

    def clear_sub(self, tell: Callable[..., None]) -> None:
        self._told.remove(tell)


class Move:
    """The status of a move that ends when the test says so."""

    def __init__(self) -> None:
        self.done = False
        self.success = True
        self._ended: list[Callable[[Any], None]] = []
        self._watchers: list[Callable[..., None]] = []

    def add_callback(self, ended: Callable[[Any], None]) -> None:
        self._ended.append(ended)

    def watch(self, tell: Callable[..., None]) -> None:
        self._watchers.append(tell)
        tell(name="a stage", current=2.5, initial=0.0, target=10.0, unit="mm")

    def exception(self, timeout: float | None = None) -> None:
        del timeout

    def end(self) -> None:
        self.done = True
        for tell in self._ended:
            tell(self)


class Stage:
    """A motor that arrives when the test says so."""

    parent = None
    name = "stage"

    def __init__(self) -> None:
        self.move = Move()

    def set(self, _target: float) -> Move:
        self.move = Move()
        return self.move

    def stop(self, *, success: bool = False) -> None:
        del success


shutter = Switch("shutter", 1)
current = Switch("current", 400)
stage = Stage()
RE.install_suspender(SuspendBoolLow(shutter, sleep=0.1, tripped_message="somebody is in the hutch"))
RE.install_suspender(SuspendFloor(current, 10))
HEARD: list[Any] = []
RESTED = threading.Event()
RE.waiting_hook = HEARD.append


def put(name: str, value: float) -> None:
    """Put a signal."""
    {"shutter": shutter, "current": current}[name].put(value)


def arrive() -> list[str]:
    """Let the stage arrive; return what the hook of this startup code had heard before."""
    heard = [type(each).__name__ for each in HEARD]
    stage.move.end()
    return heard


def ask(*prompts: str) -> Messages:
    """Ask something, with a checkpoint before each question; the run tells the answers."""
    answers = []
    for prompt in prompts:
        yield from bps.checkpoint()
        answers.append((yield from bps.input_plan(prompt)))
    yield from bps.open_run(md={"answers": [repr(answer) for answer in answers]})
    yield from bps.close_run()


def ask_twice_without_checkpoint() -> Messages:
    """Ask two questions after one checkpoint; the run tells the answers."""
    yield from bps.checkpoint()
    first = yield from bps.input_plan("first?")
    second = yield from bps.input_plan("second?")
    yield from bps.open_run(md={"answers": [repr(first), repr(second)]})
    yield from bps.close_run()


def ask_patiently(prompt: str) -> Messages:
    """Ask until there is an answer, also when it is late."""
    try:
        answer = yield from bps.input_plan(prompt)
    except TimeoutError:
        answer = "too late"
    yield from bps.open_run(md={"answers": [answer]})
    yield from bps.close_run()


def ask_the_beamline() -> Messages:
    """Ask by a command that the beamline has put in place of bluesky's."""

    async def own_input(_message: Msg) -> str:
        return "the beamline's own"

    before = RE._command_registry["input"]
    RE.register_command("input", own_input)
    answer = yield from bps.input_plan("anything?")
    RE.register_command("input", before)
    yield from bps.open_run(md={"answers": [answer]})
    yield from bps.close_run()


def read_terminal(how: str) -> Messages:
    """Ask a person at a terminal."""
    yield from bps.null()
    ways: dict[str, Callable[[], Any]] = {
        "input": lambda: input("name? "),
        "readline": sys.stdin.readline,
        "buffer": sys.stdin.buffer.read,
        "iteration": lambda: list(sys.stdin),
        "breakpoint": breakpoint,
        "pdb": _debug,
        "getpass": _password,
        "library": _confirm,
    }
    ways[how]()
    yield from bps.null()


def _debug() -> None:
    import pdb  # noqa: PLC0415, T100 - it takes time, and is what the test is about

    pdb.Pdb(nosigint=True).set_trace()
    threading.get_ident()


def _password() -> str:
    import getpass  # noqa: PLC0415 - as above

    return getpass.getpass()


class Abort(Exception):  # noqa: N818 - named as that of a library
    """What a library raises that asks a person."""


def _confirm() -> None:
    try:
        input("sure? ")
    except (KeyboardInterrupt, EOFError):
        raise Abort from None


def move_stage() -> Messages:
    """Move the stage and wait for it."""
    yield from bps.mv(stage, 10)


def rest(seconds: float) -> Messages:
    """Sleep."""
    RESTED.clear()
    yield from bps.checkpoint()
    yield from bps.sleep(seconds)
    RESTED.set()


def rested(within: float) -> bool:
    """Tell whether that plan has slept, or does so within some seconds."""
    return RESTED.wait(within)
