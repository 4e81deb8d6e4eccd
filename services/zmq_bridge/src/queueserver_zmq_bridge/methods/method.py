"""What a method of the API is: its name, its parameters, what carries it out, and what a failure answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any, TypeAlias

from queueserver_zmq_bridge.refusal import NotTaken, Refused
from queueserver_zmq_bridge.server import Server

#: Parameters of a request, none of which is unknown to the method. Nothing else about them was checked.
Params: TypeAlias = "dict[str, Any]"
#: Result fields; with ``success`` and ``msg`` they are the answer.
Fields: TypeAlias = "dict[str, Any]"
Run: TypeAlias = "Callable[[Server, Params], Awaitable[Fields]]"


class Lock(Flag):
    """Which lock makes a key necessary."""

    NONE = 0
    ENVIRONMENT = auto()
    QUEUE = auto()


@dataclass(frozen=True, slots=True)
class Method:
    """One method."""

    name: str
    #: Raises Refused or QueueServerError when it can't be done.
    run: Run
    #: Parameters that it knows, beside ``lock_key`` where a lock matters.
    parameters: tuple[str, ...] = ()
    lock: Lock = Lock.NONE
    #: Result fields when it was not carried out.
    failed: Mapping[str, Any] = field(default_factory=dict)
    #: Begins each message about a failure.
    prefix: str = "Error: "
    #: Begins a message about a request that is not even looked at; as ``prefix``, or "Error: " where that is empty.
    not_taken_prefix: str | None = None
    #: Parameters that come back as they were sent when it was not carried out.
    echoed: tuple[str, ...] = ()
    #: It is about many things at once, which may take longer than other methods are given.
    about_many: bool = False
    #: The field ``qsize`` is the length of the queue when it was not carried out, too.
    tells_size: bool = False
    #: It answers without ``success``, and takes any parameters: status and ping.
    bare: bool = False

    def failure(self, params: Params, refusal: Refused) -> Fields:
        """The answer to a request with these parameters that was not carried out."""
        if isinstance(refusal, NotTaken):
            prefix = self.prefix or "Error: " if self.not_taken_prefix is None else self.not_taken_prefix
            echoed = {}
        else:
            prefix = self.prefix
            echoed = {name: params.get(name) for name in self.echoed}
        text = f"{prefix}{refusal.message}" if refusal.prefixed else refusal.message
        return {"success": False, "msg": text, **self.failed, **echoed, **refusal.fields}

    @property
    def known(self) -> tuple[str, ...]:
        """All parameters that a request may have."""
        return (*self.parameters, "lock_key") if self.lock else self.parameters
