"""The channel to the owner of the queue: looks like one channel to the stubs, and each call goes to the owner.

It starts at the first address that the user gave, one of its homes. A standby names the owner's address in its
refusal; from then on calls go there, until there is no answer: then they go to a home again, where a newer owner may be
known, and from one home that does not answer to the next.

An address is followed only if it names a place as seen from here: not one that means "any interface", and one of the
loopback interface only from home on this machine. Channels stay open until the end, since closing one would cancel
calls in progress; so there is a limit of addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from queueserver_client.connection import forks

#: Channels to owners that are kept. Beyond this number no further one is followed.
MOST_CHANNELS = 8
_ANYWHERE = ("0.0.0.0", "[::]", "*", "")  # noqa: S104 - recognised, not listened on
_LOOPBACK = ("localhost", "[::1]")
#: As gRPC knows them; the longer ones first.
_SCHEMES = ("dns:///", "dns:", "ipv4:", "ipv6:")


class FailoverChannel:
    """Channels by address, of which one is followed."""

    def __init__(self, homes: Sequence[str], options: tuple[tuple[str, Any], ...]) -> None:
        """``homes`` are the addresses of Managers that share one queue; at least one."""
        self._homes = tuple(homes)
        self._home = homes[0]
        self._options = options
        self._channels: dict[str, grpc.aio.Channel] = {}
        #: Where calls go now.
        self.address = self._home

    @property
    def current(self) -> grpc.aio.Channel:
        """The channel that is followed; opened in the running event loop on first use."""
        channel = self._channels.get(self.address)
        if channel is None:
            forks.note_use(self)
            channel = grpc.aio.insecure_channel(self.address, options=self._options)
            self._channels[self.address] = channel
        return channel

    def follow(self, owner_address: str) -> bool:
        """Send calls there from now on; False if that is not a usable address."""
        full = len(self._channels) >= MOST_CHANNELS and owner_address not in self._channels
        if full or not self._is_reachable(owner_address):
            return False
        self.address = owner_address
        return True

    @property
    def is_home(self) -> bool:
        """Whether calls go to an address that the user gave."""
        return self.address in self._homes

    @property
    def homes(self) -> Sequence[str]:
        """The addresses that the user gave."""
        return self._homes

    def go_home(self) -> bool:
        """Send calls to a home again, from a home to the next one; False if they go to the only one already."""
        before = self.address
        if self.is_home:
            self._home = self._homes[(self._homes.index(before) + 1) % len(self._homes)]
        self.address = self._home
        return self.address != before

    def _is_reachable(self, address: str) -> bool:
        if address.startswith("unix:"):
            return _is_on_this_machine(self._home)
        return _host(address) not in _ANYWHERE and (not _is_on_this_machine(address) or _is_on_this_machine(self._home))

    async def close(self) -> None:
        """End all calls and connections."""
        for channel in self._channels.values():
            await channel.close()

    # What generated stubs require of a channel.

    def unary_unary(self, *description: Any, **serializers: Any) -> _Method:
        """A method that is answered once."""
        return _Method(self, "unary_unary", description, serializers)

    def unary_stream(self, *description: Any, **serializers: Any) -> _Method:
        """A method that is answered by a stream."""
        return _Method(self, "unary_stream", description, serializers)


class _Method:
    """One method of one service, on whichever channel is followed when it is called."""

    def __init__(self, owner: FailoverChannel, kind: str, description: Any, serializers: Any) -> None:
        self._owner = owner
        self._kind = kind
        self._described = (description, serializers)
        self._bound: dict[str, Any] = {}

    def __call__(self, request: Any, **options: Any) -> Any:
        channel, address = self._owner.current, self._owner.address
        if address not in self._bound:
            description, serializers = self._described
            self._bound[address] = getattr(channel, self._kind)(*description, **serializers)
        return self._bound[address](request, **options)


def _host(address: str) -> str:
    host = address.rpartition(":")[0]
    for scheme in _SCHEMES:
        host = host.removeprefix(scheme)
    return host


def _is_on_this_machine(address: str) -> bool:
    host = _host(address)
    return address.startswith("unix:") or host in _LOOPBACK or host.startswith("127.")
