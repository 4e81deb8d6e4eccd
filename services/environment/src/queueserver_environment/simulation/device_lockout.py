"""Nothing moves: devices refuse to act in a thread that simulates, whatever code calls them.

A plan requests actions by messages, which a simulation only reads. But it may also call a device itself, or the
RunEngine. So, while any simulation is running, the methods by which devices act are wrapped; in a thread that
simulates they raise, in every other thread they work as usual. The position of a device is, in a thread that
simulates, where the device would be. And bluesky's plans store there the line that created them, and not the whole
stack: that would take nine tenths of the time, at the expense of plans that really run. A plan that is created there
and dropped without being run is noted instead of reported by a warning.
Does not guarantee anything about what a plan does without a device: it may write files or talk to hardware directly.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from types import FrameType, FunctionType
from typing import Any, Final

_ACTIONS: Final = (
    *("set", "put", "move", "home", "stop", "trigger", "stage", "unstage", "prepare", "kickoff", "complete"),
    *("collect", "configure", "pause", "resume"),
)
_ENGINE_ACTIONS: Final = ("__call__", "resume", "stop", "abort", "halt", "request_pause")
_BASES: Final = (("ophyd.ophydobj", "OphydObject"), ("ophyd_async.core", "Device"))
_MISSING: Final = object()
_MOST_DROPPED: Final = 20


class SimulatedActionError(RuntimeError):
    """A plan that is simulated called a device or the RunEngine itself."""


class _Simulating(threading.local):
    """Where devices would be, by their identity, in a thread that simulates; None in others."""

    positions: "dict[int, Any] | None" = None
    #: Plans that were created and dropped.
    dropped: "tuple[DroppedPlan, ...]" = ()


class DroppedPlan(list[str]):
    """Where a plan was created that never ran. As bluesky keeps it: a list of the lines of its warning.

    Parameters
    ----------
    name
        Name of the plan.
    maker
        What created it.

    """

    def __init__(self, name: str, maker: FrameType) -> None:
        self.name, self.code, self.file, self.line = name, maker.f_code, maker.f_code.co_filename, maker.f_lineno
        super().__init__([f'  File "{self.file}", line {self.line}\n', f"plan `{name}` was never iterated"])


_simulating: Final = _Simulating()


class DeviceLockout:
    """Wraps the methods of device classes while simulations are running. Safe from every thread."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._users = 0
        self._changes: list[tuple[type, str, Any, Any]] = []

    @contextmanager
    def in_this_thread(self, namespace: dict[str, Any]) -> Iterator[dict[int, Any]]:
        """Let devices refuse to act in this thread; yields the map of positions, to be filled, by id of the device."""
        positions: dict[int, Any] = {}
        with self._changing:
            self._users += 1
        try:
            with self._changing:
                self._wrap(namespace)
            _simulating.positions, _simulating.dropped = positions, ()
            yield positions
        finally:
            _simulating.positions = None
            with self._changing:
                self._users -= 1
                if self._users == 0:
                    self._unwrap()

    def dropped_in_this_thread(self) -> tuple[DroppedPlan, ...]:
        """List the plans that were created and dropped in this thread, up to a number."""
        return _simulating.dropped

    def _wrap(self, namespace: dict[str, Any]) -> None:
        done = {(cls, name) for cls, name, _, _ in self._changes}
        for cls, names in _acting_classes(namespace):
            members = _members(cls)
            for name in (*names, "position"):
                original = members.get(name)
                if (cls, name) not in done and original is not None:
                    self._replace(cls, name, original, _wrapped(name, original))
                    done.add((cls, name))
        plan = getattr(sys.modules.get("bluesky.utils"), "Plan", None)
        if isinstance(plan, type) and (plan, "__init__") not in done and {"_stack", "__del__"} <= vars(plan).keys():
            self._replace(plan, "__init__", vars(plan)["__init__"], _without_stack(vars(plan)["__init__"]))
            self._replace(plan, "__del__", vars(plan)["__del__"], _noting(vars(plan)["__del__"]))

    def _replace(self, cls: type, name: str, original: Any, wrapped: Any) -> None:
        if wrapped is None:
            return
        with suppress(TypeError):  # a class that can't be changed
            type.__setattr__(cls, name, wrapped)
            self._changes.append((cls, name, original, wrapped))

    def _unwrap(self) -> None:
        for cls, name, original, wrapped in self._changes:
            # Code that ran meanwhile may have put something else there.
            if _members(cls).get(name) is wrapped:
                type.__setattr__(cls, name, original)
        self._changes.clear()


device_lockout: Final = DeviceLockout()
"""That of this process, whose classes it changes."""


def _acting_classes(namespace: dict[str, Any]) -> Iterator[tuple[type, tuple[str, ...]]]:
    """List the classes of Python code that may have methods by which something acts, and the names of these."""
    for module, name in _BASES:
        base = getattr(sys.modules.get(module), name, None)
        if isinstance(base, type):
            yield from ((cls, _ACTIONS) for cls in _with_subclasses(base))
    for value in list(namespace.values()):
        # Devices of all kinds, and any other class with such methods: it must not act either.
        if not issubclass(type(value), type):
            yield from ((cls, _ACTIONS) for cls in _mro(type(value)) if _is_of_python_code(cls))
    engine = getattr(sys.modules.get("bluesky.run_engine"), "RunEngine", None)
    if isinstance(engine, type):
        yield from ((cls, _ENGINE_ACTIONS) for cls in _with_subclasses(engine))


def _with_subclasses(base: type) -> Iterator[type]:
    waiting: list[type] = [base]
    seen = {base}
    while waiting:
        cls = waiting.pop()
        yield cls
        subclasses: list[type] = type.__subclasses__(cls)
        below = [subclass for subclass in subclasses if subclass not in seen]
        seen.update(below)
        waiting += below


# The bases of a class, as Python itself knows them: a user's metaclass may do anything when it is asked.


def _mro(cls: type) -> tuple[type, ...]:
    found: tuple[type, ...] = type.__getattribute__(cls, "__mro__")
    return found


def _members(cls: type) -> Mapping[str, Any]:
    found: Mapping[str, Any] = type.__getattribute__(cls, "__dict__")
    return found


def _is_of_python_code(cls: type) -> bool:
    is_changeable = bool(type.__getattribute__(cls, "__flags__") & 1 << 9)
    module = _members(cls).get("__module__")
    return is_changeable and not (isinstance(module, str) and module in sys.stdlib_module_names)


def _wrapped(name: str, original: Any) -> Any:
    if name == "position":
        return _simulated_position(original) if isinstance(original, property) else None
    return _refusing(original, name) if isinstance(original, FunctionType) else None


def _refusing(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(original)
    def act(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _simulating.positions is not None:
            what = getattr(self, "name", None) or type(self).__name__
            raise SimulatedActionError(
                f"the plan calls {what}.{name} itself instead of sending a message, which can't be simulated."
            )
        return original(self, *args, **kwargs)

    return act


def _simulated_position(original: property) -> property:
    def position(self: Any) -> Any:
        positions = _simulating.positions
        found = _MISSING if positions is None else positions.get(id(self), _MISSING)
        if found is not _MISSING:
            return found
        if original.fget is None:
            raise AttributeError("position")
        return original.fget(self)

    return property(position, original.fset, original.fdel, original.__doc__)


def _without_stack(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def make(self: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        if _simulating.positions is None:
            original(self, function, *args, **kwargs)
        else:
            # Above is the plan's own function, which bluesky has wrapped.
            self._stack = DroppedPlan(function.__name__, sys._getframe(2))  # noqa: SLF001 - there is no public name for it
            self._iter = function(*args, **kwargs)

    return make


def _noting(original: Callable[..., None]) -> Callable[..., None]:
    @wraps(original)
    def end(self: Any) -> None:
        dropped = getattr(self, "_stack", None)
        if _simulating.positions is None or not isinstance(dropped, DroppedPlan):
            original(self)
        elif sys._getframe(1).f_code is dropped.code and len(_simulating.dropped) < _MOST_DROPPED:  # noqa: SLF001 - as above
            # The code that created it has dropped it; one that was kept for another branch is not a mistake.
            _simulating.dropped += (dropped,)

    return end
