"""A refusal of the server, as an answer."""

from __future__ import annotations

from typing import Any

from queueserver_client import BatchRefused, EnvironmentOpenFailed, QueueServerError, RevisionMismatch

from queueserver_cli.outcome import Answer, ExitCode
from queueserver_cli.vocabulary import plain

#: Failures with these reasons did not come from a Queue Server, but from the way to it.
_COMMUNICATION = {"", "UNREACHABLE", "ANSWER_UNREADABLE"}


def is_communication_failure(error: QueueServerError) -> bool:
    """Whether the server could not be asked, as against: it refused."""
    return error.reason in _COMMUNICATION


def as_answer(error: QueueServerError) -> Answer:
    """What is printed about a refusal."""
    body: dict[str, Any] = {"success": False, "msg": _message(error), "reason": error.reason}
    details: dict[str, Any] = {
        "code": error.code.name,
        "msg": error.message,
        "violations": plain(error.violations),
    }
    appendix = ""
    if error.retry_after is not None:
        details["retry_after"] = error.retry_after
    if error.refusal.state:
        details |= {"state": error.refusal.state, "allowed_states": list(error.refusal.allowed_states)}
    if isinstance(error, RevisionMismatch):
        details["queue_revision"] = error.queue_revision
    if isinstance(error, BatchRefused):
        details["items"] = plain(error.items)
    if isinstance(error, EnvironmentOpenFailed):
        failure = error.failure
        body |= {"file": failure.file, "line": failure.line, "exception_type": failure.exception_type}
        details["traceback"] = appendix = failure.traceback
    return Answer(body, details, appendix, ExitCode.REFUSED)


def _message(error: QueueServerError) -> str:
    """The sentence with a line for each wrong field, unless it names them itself."""
    lines = [error.message]
    lines += [f"{v.field}: {v.description}" for v in error.violations if v.description not in error.message]
    return "\n".join(lines)
