"""What a method of the API is: its name, its parameters, what carries it out, and what a failure answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any, TypeAlias

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
    #: Parameters that come back as they were sent when it was not carried out.
    echoed: tuple[str, ...] = ()
    #: It is about many things at once, which may take longer than other methods are given.
    lists_all: bool = False
    #: It answers without ``success``, and takes any parameters: status and ping.
    bare: bool = False

    def failure(self, params: Params) -> Fields:
        """Result fields when a request with these parameters was not carried out."""
        return {**self.failed, **{name: params.get(name) for name in self.echoed}}

    @property
    def known(self) -> tuple[str, ...]:
        """All parameters that a request may have."""
        return (*self.parameters, "lock_key") if self.lock else self.parameters
