"""HistoryService: convert, call, convert back."""

from __future__ import annotations

from typing import Any

from queueserver.manager.v1 import history_service_pb2 as pb
from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceServicer

from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.positions import page_size
from queueserver_manager.rpc.replies import reply_to
from queueserver_manager.rpc.status_message import marker
from queueserver_manager.wire import framing
from queueserver_manager.wire.answers import how_many_fit
from queueserver_manager.wire.items import entry_bytes

_DEFAULT_PAGE, _LARGEST_PAGE = 100, 1_000


class HistoryServicer(HistoryServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def ListHistory(self, request: pb.ListHistoryRequest, context: Any) -> Any:  # noqa: N802
        """Contract: HistoryService.ListHistory."""
        del context
        size = page_size(request.page_size, _DEFAULT_PAGE, _LARGEST_PAGE)
        term = self._current_term.term()
        page = await term.history.page(
            size,
            request.page_token,
            lambda entries: how_many_fit(entries, entry_bytes),
            newest_first=request.newest_first,
        )
        rest = pb.ListHistoryResponse(
            next_page_token=page.next_token,
            history_size=page.size,
            revision=page.revision,
            plan_history_uid=marker(term.ledger.summary.store_id, "history", page.history_revision),
        )
        return framing.repeated(1, map(entry_bytes, page.entries)) + rest.SerializeToString()

    async def ClearHistory(self, request: pb.ClearHistoryRequest, context: Any) -> Any:  # noqa: N802
        """Contract: HistoryService.ClearHistory."""

        def encode(removed: int, revision: int) -> bytes:
            return pb.ClearHistoryResponse(removed_count=removed, revision=revision).SerializeToString()

        extent = request.WhichOneof("extent")
        if extent is None or (extent == "all" and not request.all):
            raise FieldInvalid("all", "must be true to remove everything; or give keep_newest or up_to_item_uid")
        if extent == "up_to_item_uid" and not request.up_to_item_uid:
            raise FieldInvalid("up_to_item_uid", "required: it says up to which item")
        up_to = request.up_to_item_uid if extent == "up_to_item_uid" else None
        reply = reply_to(request, caller_of(context), encode, part="history")
        return await self._current_term.term().history.clear(reply, keep_newest=request.keep_newest, up_to_item=up_to)
