"""Finds out which addresses a host name stands for, within a bound: a resolver may take a minute to give up.

An attempt to connect can't wait for as long. If the look-up is given up with the attempt, the next attempt begins
another one, which takes as long: with attempts of two seconds, a name server that needs four never answers in time.
:class:`NameLookup` asks once, and lets the next attempt have the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: The user who typed the name waits for the sentence about it.
_SECONDS = 0.8
#: Seconds for which an answer is used that came after its asker had given up.
_KEPT_SECONDS = 2.0

Place = tuple[socket.AddressFamily, Any]


class UnknownHostError(OSError):
    """A host that can't be found. Its text is a part of a sentence."""


def resolve(host: str | None, port: str | int, flags: int = 0) -> list[Place]:
    """Families and addresses for TCP sockets; without a host those that mean every interface.

    Raises UnknownHostError. Blocks, for at most a second.
    """
    found: list[Place] = []
    problem = [f"nothing says within {_SECONDS:g} s where the host {host} is"]

    def look_up() -> None:
        try:
            found.extend(_places_of(host, port, flags))
        except OSError:
            problem[0] = f"the host {host} is unknown"

    thread = threading.Thread(target=look_up, name="resolver", daemon=True)
    thread.start()
    thread.join(_SECONDS)
    if not found:
        raise UnknownHostError(problem[0])
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found, or why nothing was; and when, by the clock of the event loop."""

    places: Sequence[Place]
    problem: OSError | None
    time: float


class NameLookup:
    """Look-ups of one name, for attempts to connect. Belongs to one event loop.

    Guarantee: the name is looked up once at a time, in a thread of its own. That delays neither other
    look-ups nor the end of the process. An answer that comes when its asker has given up is for the next one, if that
    asks soon.
    """

    def __init__(self, host: str, port: str | int) -> None:
        self._host, self._port = host, port
        self._question: asyncio.Future[_Answer] | None = None

    async def places(self) -> Sequence[Place]:
        """Families and addresses for TCP sockets, at least one. Takes as long as the name server does: bound it.

        Raises OSError.
        """
        with contextlib.suppress(OSError):
            # An address is no question.
            return _places_of(self._host, self._port, socket.AI_NUMERICHOST)
        loop = asyncio.get_running_loop()
        question = self._question
        if question is None or (question.done() and loop.time() - question.result().time > _KEPT_SECONDS):
            question = self._question = _asked(self._host, self._port, loop)
        # A caller that gives up does not end the look-up, because others may wait for the same one.
        await asyncio.wait({question})
        if self._question is question:
            self._question = None
        answer = question.result()
        if answer.problem is not None:
            raise answer.problem
        return answer.places


def _asked(host: str, port: str | int, loop: asyncio.AbstractEventLoop) -> asyncio.Future[_Answer]:
    """A look-up that goes on by itself."""
    question: asyncio.Future[_Answer] = loop.create_future()

    def look_up() -> None:
        places: Sequence[Place] = ()
        problem = None
        try:
            places = _places_of(host, port)
        except OSError as error:
            problem = error
        # The loop may have ended meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: question.set_result(_Answer(places, problem, loop.time())))

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    return question


def _places_of(host: str | None, port: str | int, flags: int = 0) -> Sequence[Place]:
    """Raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:
        raise OSError(f"{host} is no name") from error
    return [(family, place) for family, _, _, _, place in found]
