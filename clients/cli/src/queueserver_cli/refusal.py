"""A refusal of the server, as an answer."""

from __future__ import annotations

from typing import Any

from queueserver_client import BatchRefused, EnvironmentOpenFailed, ManagerState, QueueServerError, RevisionMismatch

from queueserver_cli.outcome import Answer, ExitCode
from queueserver_cli.words.legacy_json import plain

#: Words that users know in front of the sentence about a lock.
KNOWN_BEGINNING = "Error: "
#: What to type about a lock; the server's own words are for clients in every language.
_ABOUT_LOCK = {
    "LOCKED": "Give the key of the lock (--lock-key KEY, or the variable QSERVER_LOCK_KEY), wait until it is released, "
    "or ask its holder for it, with a key of your own: qserver --lock-key KEY lock request all NOTE --wait",
    "LOCK_KEY_INVALID": "Give the right key. If it is lost: the emergency key unlocks, and so does qserver-clear-lock "
    "on the machine of the server.",
}
#: Failures with these reasons did not come from a Queue Server, but from the way to it.
_COMMUNICATION = {"", "UNREACHABLE", "ANSWER_UNREADABLE"}


def is_communication_failure(error: QueueServerError) -> bool:
    """Whether the server could not be asked, as opposed to a refusal."""
    return error.reason in _COMMUNICATION


def as_answer(error: QueueServerError) -> Answer:
    """What is printed about a refusal."""
    # Where the startup code failed has keys of its own, and so has the way out where it is told beside the sentence.
    msg = error.message if isinstance(error, EnvironmentOpenFailed) or "remedy" in error.metadata else str(error)
    if error.reason in _ABOUT_LOCK:
        msg = f"{KNOWN_BEGINNING}{msg}"
    body: dict[str, Any] = {"success": False, "msg": msg, "reason": error.reason}
    if "remedy" in error.metadata:
        body["remedy"] = _ABOUT_LOCK.get(error.reason, error.metadata["remedy"])
    details: dict[str, Any] = {
        "code": error.code.name,
        "msg": error.message,
        "violations": plain(error.violations),
    }
    appendix = ""
    if error.retry_after is not None:
        details["retry_after"] = error.retry_after
    if error.refusal.state is not ManagerState.UNSPECIFIED:
        details |= {"state": plain(error.refusal.state), "allowed_states": plain(error.refusal.allowed_states)}
    if error.refusal.lock is not None:
        details["lock_info"] = plain(error.refusal.lock)
    if isinstance(error, RevisionMismatch):
        details["queue_revision"] = error.queue_revision
    if isinstance(error, BatchRefused):
        details["items"] = plain(error.items)
    if isinstance(error, EnvironmentOpenFailed):
        failure = error.failure
        body |= {"file": failure.file, "line": failure.line, "exception_type": failure.exception_type}
        details["traceback"] = appendix = failure.traceback
    return Answer(body, details, appendix, ExitCode.REFUSED)
