"""What the Manager may refuse about questions of plans; the others are in ``errors.py``.

NotFound
└── QuestionNotFound
"""

from __future__ import annotations

from queueserver_manager.domain.refusals.errors import NotFound


class QuestionNotFound(NotFound):
    """The running plan asks nothing, or another question than the one to be answered."""

    def __init__(self, question_id: str) -> None:
        super().__init__(
            "The plan asks another question now: read it in the status, then answer it."
            if question_id
            else "No question is open: it was answered, or withdrawn because its plan was paused, "
            "suspended or ended; look at the status."
        )
        #: The question that is asked now; empty if none is.
        self.question_id = question_id
