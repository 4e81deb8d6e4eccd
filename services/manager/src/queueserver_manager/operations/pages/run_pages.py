"""Runs of the running plan in pages.

A plan can open tens of thousands of runs, and they change while they are listed: more are opened, and open ones close.
So a token says how many of them the earlier pages covered, open or closed, and which was the last: runs of another
plan are not taken for the rest.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence

from queueserver_long_work.work import Work
from queueserver_rpc.message_sizes import PART_BYTES

from queueserver_manager.domain.queue.item import RunSummary
from queueserver_manager.domain.refusals.errors import PageTokenExpired, PageTokenInvalid
from queueserver_manager.operations.pages.listing import numbers_of_token, page_token


def run_page(
    runs: Sequence[RunSummary], shown: Collection[bool], size: int, token: str, length: Callable[[RunSummary], int]
) -> Work[tuple[list[RunSummary], str]]:
    """Up to ``size`` runs, those whose ``is_open`` is in ``shown``, and the token of the next page; empty at the end.

    ``length`` tells how many bytes a run has in the answer. Raises PageTokenInvalid, PageTokenExpired.
    """
    first, room = _first_of_page(runs, token), PART_BYTES
    page: list[RunSummary] = []
    for number in range(first, len(runs)):
        run = runs[number]
        if run.is_open in shown:
            room -= length(run)
            if len(page) == size or (page and room < 0):
                return page, page_token("runs", number, _mark_of(runs[number - 1]))
            page.append(run)
        yield
    return page, ""


def _first_of_page(runs: Sequence[RunSummary], token: str) -> int:
    if not token:
        return 0
    number, last = numbers_of_token(token, "runs", 2)
    if not number:
        raise PageTokenInvalid
    if number > len(runs) or _mark_of(runs[number - 1]) != last:
        raise PageTokenExpired
    return number


def _mark_of(run: RunSummary) -> int:
    """A number that tells a run from those of other plans. Uids are set by the plan, and may have any length."""
    return zlib.crc32(run.uid.encode(errors="replace"))
