"""What the server receives from a RunEngine: states, documents, waits, and what ended a plan; what wraps its plans.

A RunEngine that is hooked gets its own class, derived from the one it has. In it, `state_hook`, `waiting_hook`,
`emit_sync` and `emit` are descriptors: what user code assigns to them is kept and called, after the server's functions.
So replacing a hook, or removing every subscription, takes nothing from the server.

Guarantees: functions of the server are called once each time, before those of user code, in the thread in which it
happens; one that raises fails alone, without the plan. A RunEngine that is asked in its own thread to pause or end
the plan, and would wait for itself for ever, raises an error that names the way out.
"""

import asyncio
import sys
import types
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache, reduce, wraps
from typing import Any, Final

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.plans.failures import error_text

_KEPT_AS: Final = "_queueserver_hooks"
_WAITING_FOR_THE_LOOP: Final = ("request_pause", "stop", "abort", "halt")


class EngineHooks:
    """What is called when something happens on one RunEngine; add to it by `x.states += (function,)`."""

    def __init__(self) -> None:
        #: Called with the new and the old state.
        self.states: tuple[Callable[[Any, Any], None], ...] = ()
        #: Called with the kind ("start", "event" …) and the document.
        self.documents: tuple[Callable[[str, Any], None], ...] = ()
        #: Called with the status objects that the plan begins to wait for, and with None when that wait is over.
        self.waits: tuple[Callable[[Any], None], ...] = ()
        #: Called with the kind, the document and the error when a receiver of user code failed at a document.
        self.failures: tuple[Callable[[str, Any, BaseException], None], ...] = ()
        #: Called with what ended a plan in the RunEngine, before it cleans up: StopIteration if the plan returned.
        self.ends: tuple[Callable[[BaseException], None], ...] = ()
        #: Called with what a plan and its preprocessors have become, for each RunEngine call; returns what to run.
        self.plans: tuple[Callable[[Any], Any], ...] = ()
        self._told: ContextVar[tuple[Any, ...] | None] = ContextVar("what user code is told now", default=None)

    def around_plan(self, plan: Any) -> Any:
        """Wrap a plan, outside of all preprocessors."""
        return reduce(lambda inner, around: around(inner), self.plans, plan)

    def state_changed(self, new: Any, old: Any) -> None:
        """Report a change of state."""
        _call(self.states, new, old)

    def document_emitted(self, kind: Any, document: Any) -> None:
        """Report a document; its kind comes as an enumeration."""
        _call(self.documents, str(getattr(kind, "name", kind)), document)

    def receiver_failed(self, kind: Any, document: Any, error: BaseException) -> None:
        """Report that a receiver failed."""
        _call(self.failures, str(getattr(kind, "name", kind)), document, error)

    def plan_ended(self, error: BaseException) -> None:
        """Report what ended a plan."""
        _call(self.ends, error)

    def waiting(self, statuses: Any = None) -> None:
        """Report what the plan waits for, None for nothing any more."""
        _call(self.waits, statuses)

    @contextmanager
    def tell_once(self, ours: Callable[..., None], *arguments: Any) -> Iterator[None]:
        """Call the server, but not when user code that is called for the same event calls the hook that it replaced."""
        outer = self._told.get()
        if (
            outer is None
            or len(outer) != len(arguments)
            or any(a is not b for a, b in zip(outer, arguments, strict=True))
        ):
            ours(*arguments)
        token = self._told.set(arguments)
        try:
            yield
        finally:
            self._told.reset(token)


def hooks_of(engine: Any) -> EngineHooks:
    """Return the hooks of a RunEngine, which is hooked now if it is not."""
    kept = vars(engine)
    hooks = kept.get(_KEPT_AS)
    if not isinstance(hooks, EngineHooks):
        hooks = kept[_KEPT_AS] = EngineHooks()
    present: Any = type(engine)
    if not isinstance(vars(present).get("state_hook"), _Hook):
        engine.__class__ = _hooked_class(present)
    return hooks


def user_hook(engine: Any, name: str) -> Any:
    """Return what user code has assigned to a hook, None for nothing."""
    return vars(engine).get(name)


class _Joined:
    """Calls the server, then user code; every other access goes to the latter."""

    def __init__(self, hooks: EngineHooks, ours: Callable[..., None], theirs: Any, kept: Any) -> None:
        self._hooks = hooks
        self._ours = ours
        self.theirs = theirs
        #: What user code had assigned; if this object is assigned again, it stands for that.
        self.kept = kept

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        with self._hooks.tell_once(self._ours, *arguments):
            return None if self.theirs is None else self.theirs(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.theirs, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.theirs == (other.theirs if isinstance(other, _Joined) else other))

    def __hash__(self) -> int:
        return hash(self.theirs)


class _JoinedAwaited(_Joined):
    """The same for what is awaited."""

    async def __call__(self, *arguments: Any, **named: Any) -> Any:
        with self._hooks.tell_once(self._ours, *arguments):
            return await self.theirs(*arguments, **named)


class _Hook:
    """A hook to which user code may assign what it likes."""

    def __init__(self, name: str, ours: Callable[[EngineHooks], Callable[..., None]], joined: type = _Joined) -> None:
        self._name = name
        self._ours = ours
        self._joined = joined

    def __get__(self, engine: Any, owner: Any = None) -> Any:
        if engine is None:
            return self
        hooks: EngineHooks = vars(engine)[_KEPT_AS]
        return self._joined(hooks, self._ours(hooks), self._theirs(engine), user_hook(engine, self._name))

    def __set__(self, engine: Any, value: Any) -> None:
        vars(engine)[self._name] = value.kept if isinstance(value, _Joined) else value

    def __delete__(self, engine: Any) -> None:
        vars(engine).pop(self._name, None)

    def _theirs(self, engine: Any) -> Any:
        return user_hook(engine, self._name)


class _Emission(_Hook):
    """The method through which all documents go to those who subscribed."""

    def __init__(self, base: Any) -> None:
        super().__init__("emit_sync", lambda hooks: hooks.document_emitted)
        self._base = base

    def _theirs(self, engine: Any) -> Any:
        emit = user_hook(engine, self._name) or types.MethodType(self._base.emit_sync, engine)
        hooks: EngineHooks = vars(engine)[_KEPT_AS]

        def emit_to_receivers(kind: Any, document: Any) -> Any:
            try:
                return emit(kind, document)
            except BaseException as error:
                hooks.receiver_failed(kind, document, error)
                raise

        return emit_to_receivers


class _AwaitedEmission(_Hook):
    """The method that the RunEngine awaits for each document of a plan; as bluesky makes it, it calls `emit_sync`."""

    def __init__(self, base: Any) -> None:
        super().__init__("emit", lambda hooks: hooks.document_emitted, _JoinedAwaited)
        self._base = base

    def _theirs(self, engine: Any) -> Any:
        return user_hook(engine, self._name) or types.MethodType(self._base.emit, engine)


class _ExitStatus:
    """The status with which the RunEngine closes runs that are still open; it is set where a plan's end is handled."""

    def __get__(self, engine: Any, owner: Any = None) -> Any:
        return self if engine is None else vars(engine)["_exit_status"]

    def __set__(self, engine: Any, value: Any) -> None:
        vars(engine)["_exit_status"] = value
        error = sys.exc_info()[1]
        if error is not None and _in_loop(engine):
            vars(engine)[_KEPT_AS].plan_ended(error)


@lru_cache
def _hooked_class(base: Any) -> type:
    body: dict[str, Any] = {
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "state_hook": _Hook("state_hook", lambda hooks: hooks.state_changed),
        "waiting_hook": _Hook("waiting_hook", lambda hooks: hooks.waiting),
        "emit_sync": _Emission(base),
        "emit": _AwaitedEmission(base),
        "_exit_status": _ExitStatus(),
        "__call__": _with_outermost(base),
        **{name: _refusing_in_loop(base, name) for name in _WAITING_FOR_THE_LOOP},
    }
    return types.new_class(base.__name__, (base,), exec_body=lambda namespace: namespace.update(body))


def _with_outermost(base: Any) -> Callable[..., Any]:
    @wraps(base.__call__)
    def call(engine: Any, /, *arguments: Any, **named: Any) -> Any:
        def outermost(plan: Any) -> Generator[Any, Any, Any]:
            # Removed before the first message: code that looks at the list finds only its own.
            _remove(engine, outermost)
            return (yield from vars(engine)[_KEPT_AS].around_plan(plan))

        if not isinstance(engine.preprocessors, list):
            engine.preprocessors = list(engine.preprocessors)
        engine.preprocessors.append(outermost)
        try:
            return base.__call__(engine, *arguments, **named)
        finally:
            _remove(engine, outermost)

    return call


def _remove(engine: Any, outermost: Any) -> None:
    with suppress(ValueError, AttributeError):
        engine.preprocessors.remove(outermost)


def _refusing_in_loop(base: type, name: str) -> Callable[..., Any]:
    method = getattr(base, name)

    def refusing(engine: Any, *arguments: Any, **named: Any) -> Any:
        if _in_loop(engine):
            raise RuntimeError(
                f"RE.{name}() can't be called in the RunEngine's own thread, by a plan, a device or a callback: it "
                "would wait for itself. A plan can `yield from bluesky.plan_stubs.pause()` or raise an error."
            )
        return method(engine, *arguments, **named)

    refusing.__name__, refusing.__qualname__, refusing.__doc__ = name, method.__qualname__, method.__doc__
    return refusing


def _in_loop(engine: Any) -> bool:
    try:
        return asyncio.get_running_loop() is engine.loop
    except RuntimeError:
        return False


def _call(functions: tuple[Callable[..., None], ...], *arguments: Any) -> None:
    for function in functions:
        try:
            function(*arguments)
        except Exception as error:  # noqa: BLE001 - protects the plan from a defect of ours
            streams.note(f"{function!r} failed: {error_text(error)}\n")
