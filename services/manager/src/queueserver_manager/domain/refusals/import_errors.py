"""Refusals of imports; the others are in ``errors.py``.

WrongState
└── NotEmpty
"""

from __future__ import annotations

from queueserver_manager.domain.refusals.errors import WrongState


class NotEmpty(WrongState):
    """Something is in the queue or the history, or runs, and what is imported was not said to be added to it."""

    def __init__(self, items: int, entries: int, *, is_running: bool) -> None:
        runs = ", and a plan is running" if is_running else ""
        super().__init__(
            f"This server is not empty: its queue has {items} items and its history {entries} entries{runs}. "
            "Clear them, or say that what is imported is to be added (into_existing; 'qserver-import --into-existing')."
        )
