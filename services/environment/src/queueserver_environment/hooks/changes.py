"""What a plan did to the RunEngine that outlasts it: reported, because later plans run with it.

The server itself needs none of this, see `engine_hooks`; programs that store documents, and people who wonder why
nothing was stored, do.
"""

import signal
from collections.abc import Iterator
from typing import Any, Final

from queueserver_environment.hooks.engine_hooks import user_hook
from queueserver_environment.hooks.loop_thread import loop_keeper

_SETTINGS: Final = (
    *("state_hook", "msg_hook", "waiting_hook", "record_interruptions", "pause_msg", "emit", "emit_sync"),
    *("md_validator", "md_normalizer", "scan_id_source", "ignore_callback_exceptions"),
)
_MAX_NAMES: Final = 5


class Before:
    """A RunEngine as it is before a plan begins."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._receivers = _receivers(engine)
        self._settings = _settings(engine)
        self._commands = set(engine.commands)
        self._restarts = loop_keeper(engine).restarts

    def notices(self) -> Iterator[str]:
        """Report what is not as it was, one sentence each."""
        now = _receivers(self._engine)
        lost = [name for key, name in self._receivers.items() if key not in now]
        if lost:
            yield (
                f"The plan removed subscriptions of RE ({_listed(lost)}): they get no more documents. Close the "
                "environment and open it again to have them back. The queue server still gets all documents."
            )
        commands = sorted(self._commands - set(self._engine.commands))
        if commands:
            yield (
                f"The plan removed commands of RE ({_listed(commands)}): every plan that needs one of them fails. "
                "Close the environment and open it again to have them back."
            )
        settings = _settings(self._engine)
        changed = [name for name, value in self._settings.items() if settings[name] is not value]
        if changed:
            yield f"The plan changed {_listed(changed)} and did not restore it for the plans that follow."
        if loop_keeper(self._engine).restarts != self._restarts:
            yield "Code stopped the event loop of RE (RE.loop), without which no plan can run; it was started again."


def _receivers(engine: Any) -> dict[tuple[int, int], str]:
    """Names of what was subscribed for longer than one plan."""
    dispatcher = engine.dispatcher
    registry = getattr(dispatcher, "cb_registry", None)
    tokens = getattr(dispatcher, "_token_mapping", {})
    of_one_plan = {private for token in engine._temp_callback_ids for private in tokens.get(token, ())}  # noqa: SLF001 - bluesky does not tell
    kinds = list(getattr(registry, "callbacks", {}).values())
    return {
        (id(registry), number): _name(receiver)
        for receivers in kinds
        for number, receiver in list(receivers.items())
        if number not in of_one_plan
    }


def _name(receiver: Any) -> str:
    function, owner = getattr(receiver, "func", receiver), getattr(receiver, "klass", None)
    name = getattr(function, "__name__", type(function).__name__)
    return f"{owner.__name__}.{name}" if isinstance(owner, type) else str(name)


def _settings(engine: Any) -> dict[str, Any]:
    found = {f"RE.{name}": user_hook(engine, name) for name in _SETTINGS}
    return {**found, "the handler of SIGINT": signal.getsignal(signal.SIGINT)}


def _listed(names: list[str]) -> str:
    different = list(dict.fromkeys(names))
    more = f" and {len(different) - _MAX_NAMES} more" if len(different) > _MAX_NAMES else ""
    return ", ".join(different[:_MAX_NAMES]) + more
