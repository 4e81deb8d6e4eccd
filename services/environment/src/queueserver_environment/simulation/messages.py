"""What each message of a plan means in a simulation, and what the plan gets in return.

Answers look like those of a RunEngine whose devices complete every action at once: a plan that waits for a status
finds it done, a plan that reads finds the keys that the device has, a plan that opens a run gets a uid.
"""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from queueserver_environment.simulation.devices import SimulatedDevices, to_number
from queueserver_environment.simulation.findings import Findings
from queueserver_environment.waiting.texts import bounded_text

_QUIET: Final = frozenset(
    {
        *("checkpoint", "clear_checkpoint", "null", "install_suspender", "remove_suspender", "unsubscribe"),
        *("declare_stream", "_resume_from_suspender", "_start_suspender"),
    }
)
"""Messages that move nothing and measure nothing."""
_MAX_PROMPT: Final = 200
"""Characters of a question that are shown."""


class DoneStatus:
    """The status of something that was done at once."""

    done = True
    success = True

    def add_callback(self, callback: Callable[[Any], None]) -> None:
        """Call back now."""
        callback(self)

    def exception(self, timeout: float | None = 0.0) -> None:
        """No error."""

    def wait(self, timeout: float | None = None) -> None:
        """Nothing is left to be waited for."""


class StagedDevices(list[Any], DoneStatus):
    """What staging returns: for old devices a list of what was staged, for new ones a status; this is both."""


class MessageReader:
    """Goes through messages one after the other. Used by the thread of one simulation.

    Parameters
    ----------
    findings
        Takes what is found.
    devices
        Knows the devices.
    commands
        The names of messages that the RunEngine knows; None if there is no RunEngine to ask.
    engine_class
        The class of the RunEngine.

    """

    def __init__(
        self, findings: Findings, devices: SimulatedDevices, commands: frozenset[str] | None, engine_class: Any
    ) -> None:
        self._findings = findings
        self._devices = devices
        self._commands = commands
        #: Seconds until the slowest of each group is done.
        self._groups: dict[Any, float] = {}
        #: uid of the run that is open, by its key; and what is read into its next point.
        self._runs: dict[Any, str] = {}
        self._points: dict[Any, list[str]] = {}
        self._tokens = 0
        self._answers: dict[str, Callable[[Any], Any]] = {
            "set": self._set,
            "trigger": self._trigger,
            "read": self._read,
            "locate": self._locate,
            "monitor": partial(self._act, "monitor", read=True),
            "unmonitor": partial(self._act, "stop monitoring"),
            "kickoff": partial(self._act, "start to fly", grouped=True),
            "complete": partial(self._act, "complete the flight of", grouped=True),
            "prepare": partial(self._act, "prepare", grouped=True),
            "collect": self._collect,
            "stage": partial(self._stage, "stage"),
            "unstage": partial(self._stage, "unstage"),
            "stop": partial(self._act, "stop"),
            "configure": self._configure,
            "open_run": self._open_run,
            "close_run": self._close_run,
            "create": self._create,
            "save": self._save,
            "drop": self._drop,
            "sleep": self._sleep,
            "wait": self._wait,
            "wait_for": self._wait_for,
            "pause": self._pause,
            "input": self._input,
            "subscribe": self._subscribe,
            "rewindable": lambda message: message.args[0] if message.args and message.args[0] is not None else True,
            "RE_class": lambda _: engine_class,
        }

    def answer(self, message: Any) -> Any:
        """Note what a message does; returns what the plan gets for it."""
        command = str(message.command)
        if self._commands is not None and command not in self._commands:
            self._findings.problem(f"The RunEngine has no command {command!r}.")
        if isinstance(message.obj, str):
            name = _name(message.obj)
            self._findings.problem(f"The message {command!r} is for {name}, which is a text and no device.", name)
        answer = self._answers.get(command)
        if answer is not None:
            return answer(message)
        if command not in _QUIET:
            self._findings.line(f"{command} {_name(message.obj)}".rstrip())
        return None

    def end(self) -> None:
        """Note what is left when the plan has ended."""
        for _ in self._runs:
            self._findings.line("end of the run, which the plan leaves open")

    def _set(self, message: Any) -> DoneStatus:
        device = _name(message.obj)
        if not message.args:
            self._findings.problem(f"{device} is set to nothing.", device)
            return DoneStatus()
        target = message.args[0]
        refusal = self._devices.check(message.obj, target)
        if refusal:
            self._findings.problem(f"{device} can't be set to {_shown(target)}: {refusal}", device)
        self._findings.move(device, target)
        self._take_time(message, self._devices.move(message.obj, target))
        return DoneStatus()

    def _trigger(self, message: Any) -> DoneStatus:
        self._findings.line(f"trigger {_name(message.obj)}")
        self._take_time(message, self._devices.exposure(message.obj))
        return DoneStatus()

    def _read(self, message: Any) -> dict[str, Any]:
        device = _name(message.obj)
        self._findings.read(device)
        point = self._points.get(message.run)
        if point is None:
            self._findings.line(f"read {device}")
        elif device not in point:
            point.append(device)
        return self._devices.reading(message.obj)

    def _locate(self, message: Any) -> Any:
        places = [self._devices.location(device) for device in (message.obj, *message.args)]
        return places[0] if len(places) == 1 and message.kwargs.get("squeeze", True) else places

    def _act(self, verb: str, message: Any, *, read: bool = False, grouped: bool = False) -> DoneStatus | None:
        device = _name(message.obj)
        self._findings.line(f"{verb} {device}")
        if read:
            self._findings.read(device)
        return DoneStatus() if grouped else None

    def _collect(self, message: Any) -> list[Any]:
        for device in (message.obj, *message.args):
            self._findings.line(f"collect from {_name(device)}")
            self._findings.read(_name(device))
        return []

    def _stage(self, verb: str, message: Any) -> Any:
        self._findings.line(f"{verb} {_name(message.obj)}")
        of_ophyd = any(base.__module__.startswith("ophyd.") for base in type(message.obj).__mro__)
        return [message.obj] if of_ophyd else StagedDevices([message.obj])

    def _configure(self, message: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        self._findings.line(f"configure {_name(message.obj)}")
        return {}, {}

    def _open_run(self, message: Any) -> str:
        if message.run in self._runs:
            self._findings.problem("A run is opened while the one before is open.")
        name = message.kwargs.get("plan_name")
        number = self._findings.count("run")
        self._findings.line(f"run: {name}" if isinstance(name, str) else "run")
        uid = self._runs[message.run] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"simulated run {number}"))
        return uid

    def _close_run(self, message: Any) -> str:
        if message.run not in self._runs:
            self._findings.problem("A run is closed, and none is open.")
        self._points.pop(message.run, None)
        self._findings.line("end of the run")
        return self._runs.pop(message.run, "")

    def _create(self, message: Any) -> None:
        if message.run not in self._runs:
            self._findings.problem("A point is begun, and no run is open.")
        self._points[message.run] = []

    def _save(self, message: Any) -> None:
        point = self._points.pop(message.run, None)
        if point is None:
            self._findings.problem("A point is saved that was not begun.")
            return
        self._findings.count("point")
        self._findings.line(f"point: read {', '.join(point)}" if point else "point")

    def _drop(self, message: Any) -> None:
        self._points.pop(message.run, None)
        self._findings.line("drop the point")

    def _sleep(self, message: Any) -> None:
        seconds = to_number(message.args[0] if message.args else None)
        if seconds is None:
            self._findings.problem("It sleeps for a time that is not a number.")
            return
        self._findings.sleep(max(0.0, seconds))

    def _wait(self, message: Any) -> bool:
        group = message.args[0] if message.args else message.kwargs.get("group")
        seconds = self._groups.pop(group, None)
        if seconds is not None:
            self._findings.take_time(seconds)
        return True

    def _wait_for(self, _message: Any) -> list[Any]:
        self._findings.line("wait for what is not known in advance")
        return []

    def _pause(self, message: Any) -> None:
        self._findings.line("pause at the next checkpoint" if message.kwargs.get("defer") else "pause")

    def _input(self, message: Any) -> str:
        prompt = bounded_text(lambda: message.kwargs.get("prompt"), _MAX_PROMPT)
        self._findings.line(f"ask {prompt!r} and wait for an answer")
        return ""

    def _subscribe(self, _message: Any) -> int:
        self._tokens += 1
        return self._tokens

    def _take_time(self, message: Any, seconds: float | None) -> None:
        if seconds is not None:
            group = message.kwargs.get("group")
            self._groups[group] = max(self._groups.get(group, 0.0), seconds)


def _name(device: Any) -> str:
    if device is None:
        return "nothing"
    if isinstance(device, str):
        return repr(device)
    try:
        return str(device.name)
    except Exception:  # noqa: BLE001 - protects the simulation from objects that are not devices
        return f"an object of type {type(device).__name__}"


def _shown(target: Any) -> str:
    number = to_number(target)
    try:
        return f"{number:.6g}" if number is not None else str(target)
    except Exception:  # noqa: BLE001 - protects the simulation from a broken __str__ in user code
        return f"an object of type {type(target).__name__}"
