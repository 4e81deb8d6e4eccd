"""One pass through the messages of a plan, in a separate thread.

Guarantees: whatever the plan raises or refuses is a finding; the run ends at the message limit; when its time is over
the plan is interrupted, wherever it is in its own Python code.
Does not guarantee that a plan which waits in C code, or blocks every interruption, ends: its thread stays, and devices
refuse to act in it as long as it lives.
"""

import ctypes
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, Final

import bluesky
from bluesky.utils import ensure_generator

from queueserver_environment.console.printers import Tell, printing_told
from queueserver_environment.plans.failures import error_text, is_own_frame
from queueserver_environment.plans.misnamed_devices import MisnamedDeviceError
from queueserver_environment.plans.plan_messages import NoMessageError, is_message, never_runs
from queueserver_environment.simulation.device_lockout import SimulatedActionError, device_lockout
from queueserver_environment.simulation.devices import SimulatedDevices
from queueserver_environment.simulation.findings import Findings
from queueserver_environment.simulation.messages import MessageReader

HANGING_SECONDS: Final = 5.0
"""A plan that has sent nothing for so long when its time is over is probably hanging."""
_ABSORB_SECONDS: Final = 1.0
_BLUESKY: Final = str(Path(bluesky.__file__).parent)


class TimeIsOverError(BaseException):
    """Interrupts a plan that takes too long; no Exception, so that plans let it pass."""


class DryRun:
    """Goes through one plan once.

    Parameters
    ----------
    make_plan
        Makes the plan.
    namespace
        Where the devices are.
    engine
        The RunEngine, whose preprocessors and commands count; None if there is none.
    findings
        Takes what is found.
    limit
        The most messages that are gone through.
    tell
        Takes what the plan prints.

    """

    def __init__(
        self,
        make_plan: Callable[[], Iterable[Any]],
        namespace: dict[str, Any],
        engine: Any,
        findings: Findings,
        limit: int,
        tell: Tell,
    ) -> None:
        self._make_plan = make_plan
        self._namespace = namespace
        self._engine = engine
        self._findings = findings
        self._limit = limit
        self._tell = tell
        self._complete = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._passing = threading.Lock()
        self._in_plan = False
        self._interrupted = threading.Event()
        self._last_message = time.monotonic()

    def start(self, when_done: Callable[[], None]) -> None:
        """Begin; `when_done` is called when the thread ends, however late, or can't be started (RuntimeError)."""
        self._thread = threading.Thread(target=self._run, args=(when_done,), name="simulated plan", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            when_done()
            raise

    def wait(self, seconds: float) -> bool:
        """Wait for the end, and interrupt the plan when the time is over; returns whether it came to its end."""
        if not self._ended.wait(seconds):
            silent = time.monotonic() - self._last_message
            if silent >= HANGING_SECONDS:
                self._findings.problem(f"It has sent no message for {silent:.0f} seconds, and seems to hang.")
            self._interrupt()
        return self._complete

    def _run(self, when_done: Callable[[], None]) -> None:
        try:
            with printing_told(self._tell), device_lockout.in_this_thread(self._namespace) as positions:
                self._go_through(positions)
        except BaseException as error:  # noqa: BLE001 - what keeps the simulation itself from its end is a finding too
            self._findings.problem(f"The simulation itself failed ({type(error).__name__}: {error_text(error)}).")
        finally:
            self._ended.set()
            when_done()

    def _go_through(self, positions: dict[int, Any]) -> None:
        loop = self._engine.loop if self._engine is not None else None
        commands = frozenset(self._engine.commands) if self._engine is not None else None
        reader = MessageReader(self._findings, SimulatedDevices(positions, loop), commands, type(self._engine))
        plan: Generator[Any, Any, Any] | None = None
        try:
            plan = self._pass(self._prepared)
            self._complete = self._read(plan, reader)
        except TimeIsOverError:
            pass
        except BaseException as error:  # noqa: BLE001 - protects the environment: whatever a plan raises is a finding
            self._findings.problem(_what_it_raises(error))
            self._complete = True
        if plan is not None and not self._complete:
            _close(plan)

    def _read(self, plan: Generator[Any, Any, Any], reader: MessageReader) -> bool:
        """Read message after message; returns whether the plan came to its end."""
        answer: Any = None
        while not self._findings.closed:
            try:
                message = self._pass(lambda: plan.send(answer))  # noqa: B023 - called at once
            except StopIteration:
                reader.end()
                self._note_dropped_plans()
                return True
            if self._findings.messages >= self._limit:
                return False
            self._findings.count("message")
            self._last_message = time.monotonic()
            answer = self._answer(message, reader)
        return False

    def _note_dropped_plans(self) -> None:
        for dropped in dict.fromkeys(
            (plan.name, plan.file, plan.line) for plan in device_lockout.dropped_in_this_thread()
        ):
            if not dropped[1].startswith(_BLUESKY):
                self._findings.problem(never_runs(*dropped))

    def _answer(self, message: Any, reader: MessageReader) -> Any:
        if not is_message(message):
            self._findings.problem(f"It sends an object of type {type(message).__name__}, which is not a message.")
            return None
        try:
            return reader.answer(message)
        except Exception as error:  # noqa: BLE001 - protects the simulation from messages with nonsense in them
            self._findings.problem(f"Its message {message.command!r} makes no sense ({error_text(error)}).")
            return None

    def _prepared(self) -> Generator[Any, Any, Any]:
        plan: Any = ensure_generator(self._make_plan())  # type: ignore[no-untyped-call] # bluesky does not tell its types
        for preprocess in self._engine.preprocessors if self._engine is not None else ():
            plan = preprocess(plan)
        prepared: Generator[Any, Any, Any] = plan
        return prepared

    def _pass(self, step: Callable[[], Any]) -> Any:
        """Let code of the plan run: only there can it be interrupted, so that none of our work is left half done."""
        with self._passing:
            if self._interrupted.is_set():
                raise TimeIsOverError
            self._in_plan = True
        arrived = False
        try:
            return step()
        except TimeIsOverError:
            arrived = True
            raise
        finally:
            with self._passing:
                self._in_plan = False
                is_on_its_way = self._interrupted.is_set() and not arrived
            if is_on_its_way:
                # If the plan has not swallowed it, it arrives here.
                threading.Event().wait(_ABSORB_SECONDS)

    def _interrupt(self) -> None:
        with self._passing:
            self._interrupted.set()
            if self._in_plan and self._thread is not None and self._thread.ident is not None:
                interruption = ctypes.py_object(TimeIsOverError)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), interruption)


def _close(plan: Generator[Any, Any, Any]) -> None:
    try:
        plan.close()
    except BaseException:  # noqa: BLE001 - protects the environment: how the plan cleans up does not matter
        return


def _what_it_raises(error: BaseException) -> str:
    if isinstance(error, SimulatedActionError):
        return f"{error_text(error)[:1].upper()}{error_text(error)[1:]}"
    if isinstance(error, (NoMessageError, MisnamedDeviceError)):
        return f"The plan fails: {error_text(error)}"
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    users = [(name, line) for name, line in frames if not is_own_frame(name) and not name.startswith(_BLUESKY)]
    where = f" in {Path(users[-1][0]).name}, line {users[-1][1]}" if users else ""
    return f"The plan raises {type(error).__name__}{where}: {error_text(error)}"
