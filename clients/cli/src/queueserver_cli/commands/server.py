"""`qserver config` and `qserver manager stop`."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import StopMode

from queueserver_cli.command_line.command import CommandBody
from queueserver_cli.outcome import DONE, Answer, WrongCommand
from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import plain

_MODES = {
    (): StopMode.WHEN_IDLE,
    ("safe", "on"): StopMode.WHEN_IDLE,
    ("safe", "off"): StopMode.AT_ONCE,
    ("safe_on",): StopMode.WHEN_IDLE,
    ("safe_off",): StopMode.AT_ONCE,
}


def stop(words: Sequence[str]) -> CommandBody:
    """`manager stop [safe on|safe off]`."""
    mode = _MODES.get(tuple(words))
    if mode is None:
        raise WrongCommand(
            f"{' '.join(words)!r} does not say how to stop: 'safe on' stops only an idle server, 'safe off' stops it "
            "whatever it is doing."
        )

    async def action(session: Session) -> Answer:
        await session.client.server.stop(mode, wait=session.wait)
        ends = "The server has ended" if session.wait else "The server ends now, and the connections to it"
        session.printer.note(f"{ends}. To start it again: start-re-manager")
        return DONE

    return action


async def config(session: Session) -> Answer:
    """`config`."""
    info = plain(await session.client.server.info())
    limits = {
        limit.pop("name"): {name: bound for name, bound in limit.items() if bound is not None}
        for limit in info.pop("limits")
    }
    return Answer({**DONE.body, "config": {**info, "limits": limits}})
