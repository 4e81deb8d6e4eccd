"""Where a request finds the operations: those of the present term, if there is one."""

from __future__ import annotations

from queueserver_manager.domain.refusals.errors import NotOwner, NotReady
from queueserver_manager.operations.ownership_term import OwnershipTerm
from queueserver_manager.operations.status import StatusBoard


class CurrentTerm:
    """The present term, or the reason why there is none."""

    def __init__(self, board: StatusBoard) -> None:
        self.board = board
        self._term: OwnershipTerm | None = None
        self._owner_address: str | None = None

    def open_for(self, term: OwnershipTerm) -> None:
        """From now on requests go to this term."""
        self._term, self._owner_address = term, None

    def close(self, owner_address: str | None) -> None:
        """There is no term; another Manager at this address owns the queue, or (None) no Manager is ready."""
        self._term, self._owner_address = None, owner_address

    @property
    def is_open(self) -> bool:
        """Whether there is a term."""
        return self._term is not None

    def term(self) -> OwnershipTerm:
        """The present term. Raises NotOwner, NotReady."""
        if self._term is not None:
            return self._term
        if self._owner_address is not None:
            raise NotOwner(self._owner_address)
        raise NotReady(self.board.facts.storage.message)
