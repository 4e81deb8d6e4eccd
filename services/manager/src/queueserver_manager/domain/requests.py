"""Requests that were carried out, so that a client that did not get the response may repeat the request.

A response is stored in the same step as the change it reports: a client that repeats a request finds either both or
neither. That a request was carried out is known for an hour at least, and then until newer ones displace it.
Its response may be long, since it contains items: beyond a total size of all responses the oldest are dropped, and a
client that repeats such a request learns that it was carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from queueserver_manager.domain.limits import Bound

#: Seconds for which a request is known at least, unless more newer ones come than are kept.
KEPT_SECONDS = 3600.0
#: Old requests are forgotten a few at a time, with the commits that bring new ones.
_FORGOTTEN_AT_ONCE = 4
#: A response this short takes no more than the rest of a kept request: it is only dropped with that.
_SHORT = 64


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request and its serialized response; None if that was dropped.

    The fingerprint covers method, caller and content.
    """

    request_id: str
    fingerprint: str
    answer: bytes | None
    time: float

    @property
    def size(self) -> int:
        """Bytes of the response that could be dropped."""
        return len(self.answer) if self.answer is not None and len(self.answer) > _SHORT else 0

    def without_answer(self) -> AnsweredRequest:
        """What is left of it when the response is dropped."""
        return replace(self, answer=None)


class Requests(Mapping[str, AnsweredRequest]):
    """Answered requests by id, oldest first."""

    def __init__(self, requests: Iterable[AnsweredRequest] = ()) -> None:
        self._by_id: dict[str, AnsweredRequest] = {}
        #: Ids of those with a response that could be dropped, oldest first.
        self._long: dict[str, None] = {}
        #: Bytes of those responses.
        self.size = 0
        for request in requests:
            self.put(request)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __getitem__(self, request_id: str) -> AnsweredRequest:
        return self._by_id[request_id]

    def put(self, request: AnsweredRequest) -> None:
        """Note a new request as the newest, or what is left of one in its place."""
        self._uncount(request.request_id)
        self._by_id[request.request_id] = request
        if request.size:
            self._long[request.request_id] = None
            self.size += request.size

    def drop(self, request_id: str) -> None:
        """Forget a request."""
        self._uncount(request_id)
        del self._by_id[request_id]

    def _uncount(self, request_id: str) -> None:
        if request_id in self._long:
            del self._long[request_id]
            self.size -= self._by_id[request_id].size

    def restore(self, dropped: Sequence[AnsweredRequest]) -> None:
        """Undo :meth:`drop` of the oldest requests."""
        self._by_id = {request.request_id: request for request in dropped} | self._by_id
        self.restore_answers(dropped)

    def restore_answers(self, whole: Sequence[AnsweredRequest]) -> None:
        """Restore the responses of the oldest requests, after :meth:`put` of what was left of them."""
        self._by_id.update((request.request_id, request) for request in whole)
        self._long = {request.request_id: None for request in whole if request.size} | self._long
        self.size += sum(request.size for request in whole)

    def outdated(self, bound: Bound, now: float) -> tuple[str, ...]:
        """Which requests to forget now, oldest first."""
        return tuple(islice(self._outdated(bound, now), _FORGOTTEN_AT_ONCE))

    def _outdated(self, bound: Bound, now: float) -> Iterator[str]:
        surplus = len(self._by_id) - bound.number
        for position, request in enumerate(self._by_id.values()):
            if position >= surplus and now - request.time < KEPT_SECONDS:
                return
            yield request.request_id

    def overlong(self, bound: Bound, added: AnsweredRequest, gone: Iterable[str] = ()) -> tuple[AnsweredRequest, ...]:
        """Which requests lose their responses when one is added and those others are gone, oldest first.

        The one that is added keeps its own, however long it is.
        """
        leaving = set(gone)
        size = self.size + added.size - sum(self._by_id[one].size for one in leaving)
        found = []
        for request_id in self._long:
            if size <= bound.size:
                break
            if request_id not in leaving:
                found.append(self._by_id[request_id])
                size -= found[-1].size
        return tuple(found)
