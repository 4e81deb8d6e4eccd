"""`qserver queue stop`, `mode` and `autostart`."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import InterruptedPolicy

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import DONE, Answer, WrongCommand
from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import mode_dict

_ON = {"true", "on", "yes", "t", "y", "1"}
_OFF = {"false", "off", "no", "f", "n", "0"}
_SWITCHES = ("loop", "ignore_failures")
_POLICIES = [policy.value for policy in InterruptedPolicy if policy is not InterruptedPolicy.UNSPECIFIED]


def stop(words: Sequence[str]) -> CommandBody:
    """`queue stop [cancel]`."""
    if list(words) == ["cancel"]:
        return _cancel_stop
    nothing_more(words)
    return _stop


async def _stop(session: Session) -> Answer:
    await session.client.queue.stop()
    return DONE


async def _cancel_stop(session: Session) -> Answer:
    await session.client.queue.cancel_stop()
    return DONE


def set_mode(words: Sequence[str]) -> CommandBody:
    """`queue mode set [default] [MODE VALUE …]`."""
    reset = bool(words) and words[0] == "default"
    pairs = words[1:] if reset else words
    if len(pairs) % 2:
        raise WrongCommand(f"The value of {pairs[-1]!r} is missing.")
    switches: dict[str, bool] = {}
    policy: InterruptedPolicy | None = None
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        if name in _SWITCHES:
            switches[name] = _switch(name, value)
        elif name == "interrupted":
            policy = _policy(value)
        else:
            raise WrongCommand(f"There is no mode {name!r}. Modes are: {', '.join((*_SWITCHES, 'interrupted'))}.")

    async def action(session: Session) -> Answer:
        mode = await session.client.queue.set_mode(
            loop=switches.get("loop"),
            ignore_failures=switches.get("ignore_failures"),
            interrupted=policy,
            reset=reset,
        )
        return Answer(DONE.body, {"plan_queue_mode": mode_dict(mode)})

    return action


def _switch(name: str, word: str) -> bool:
    if word.lower() in _ON | _OFF:
        return word.lower() in _ON
    raise WrongCommand(f"{word!r} is not a value for {name}: say true or false.")


def _policy(word: str) -> InterruptedPolicy:
    if word.lower() in _POLICIES:
        return InterruptedPolicy(word.lower())
    raise WrongCommand(f"{word!r} is not a value for interrupted: say {', '.join(_POLICIES)}.")


async def enable_autostart(session: Session) -> Answer:
    """`queue autostart enable`."""
    await session.client.queue.set_autostart(True)
    return DONE


async def disable_autostart(session: Session) -> Answer:
    """`queue autostart disable`."""
    await session.client.queue.set_autostart(False)
    return DONE
