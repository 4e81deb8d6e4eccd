"""The Manager, as the bridge uses it: one connection, on which each call is made for the user whom a request names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from queueserver.manager.v1 import queue_items_pb2
from queueserver_client.connection.channel import ROOT_IS_MEANT, CallTerms, identity
from queueserver_client.connection.connection import Connection, Identified
from queueserver_process.ready import KILL_LINE, ReadyPipe

from queueserver_zmq_bridge.answers.status import StatusView
from queueserver_zmq_bridge.descriptions.listings import Listings
from queueserver_zmq_bridge.listed.history import HistoryListing
from queueserver_zmq_bridge.listed.items import encoded_list
from queueserver_zmq_bridge.listed.queue import QueueListing
from queueserver_zmq_bridge.refusal import Refused

if TYPE_CHECKING:
    from grpc.aio import UnaryUnaryMultiCallable
    from queueserver_client.connection.channel import Stubs

    from queueserver_zmq_bridge.sockets.encoding import Encoded, Encoding

#: Seconds that a call may take: clients of the bridge wait for two.
CALL_SECONDS = 1.5
#: A call about many items may take longer: a client that sends so many waits for them.
BATCH_SECONDS = 20.0
_BATCHES = (queue_items_pb2.AddItemsRequest, queue_items_pb2.RemoveItemsRequest, queue_items_pb2.MoveItemsRequest)

_Q = TypeVar("_Q")
_I = TypeVar("_I", bound=Identified)
_R = TypeVar("_R")
#: A user and a user group, either of them unknown.
Caller = tuple[str | None, str | None]
NOBODY: Caller = (None, None)


class Server:
    """Calls to the Manager, and what is kept of its answers.

    All methods raise QueueServerError, and Refused for a caller whose name can't be sent.
    """

    def __init__(self, address: str | None, encoding: Encoding, parent: ReadyPipe) -> None:
        self._parent = parent
        self._encoding = encoding
        #: The status as clients see it, on both sockets.
        self.status_view = StatusView()
        #: Plans and devices, in the encoding of the sockets.
        self.listings = Listings(encoding)
        #: The whole queue and the whole history, likewise.
        self.queue = QueueListing(encoding)
        self.history = HistoryListing(encoding)
        self._connection = Connection(address, None, None, CALL_SECONDS)
        # A Manager that is starting, or starting again, is waited for.
        self._connection.was_ready = True

    @property
    def connection(self) -> Connection:
        """The connection, for what streams."""
        return self._connection

    @property
    def stubs(self) -> Stubs:
        """The services of the contract."""
        return self._connection.stubs

    async def read(self, method: UnaryUnaryMultiCallable[_Q, _R], request: _Q, caller: Caller = NOBODY) -> _R:
        """Make a call that changes nothing."""
        return await self._connection.read(method, request, terms=_terms(caller))

    async def change(self, method: UnaryUnaryMultiCallable[_I, _R], request: _I, caller: Caller = NOBODY) -> _R:
        """Make a call that changes something, once, however often it has to be sent."""
        seconds = BATCH_SECONDS if isinstance(request, _BATCHES) else None
        return await self._connection.change(method, request, terms=_terms(caller, seconds))

    async def encoded(self, values: Iterable[Any]) -> Encoded:
        """A list of values in the encoding of the sockets, made without keeping others waiting."""
        return await encoded_list(self._encoding, values)

    def kill_manager(self) -> bool:
        """Have the Manager killed by the process that starts it again; False if there is none."""
        if self._parent.is_listening:
            self._parent.step(KILL_LINE)
            return True
        return False

    async def close(self) -> None:
        """End all calls and the connection."""
        await self._connection.close()


def _terms(caller: Caller, seconds: float | None = None) -> CallTerms:
    try:
        names = identity(*caller)
    except ValueError as error:
        raise Refused(str(error).replace("user-group", "user_group")) from None
    # Clients of the API have always been able to submit as root.
    return CallTerms((*names, *ROOT_IS_MEANT), seconds)
