"""The sentence for a refusal of the Manager: with the words that clients of bluesky-queueserver look for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from queueserver_client import QueueServerError
from queueserver_client.lock_errors import Locked

from queueserver_zmq_bridge.answers.lock import describe_lock

#: Reasons whose sentence of the Manager is replaced, because clients compare the text.
_BY_REASON: Final[Mapping[str, str]] = {
    "ENVIRONMENT_EXISTS": "RE Worker environment already exists.",
    "ENVIRONMENT_CLOSED": "RE Worker environment does not exist.",
    "QUEUE_RUNNING": "RE Manager is busy.",
    "RUN_ENGINE_MISSING": "Run Engine is not found in the environment.",
}
#: How the Manager names users and groups, which it reads beside the request.
_CALLER: Final = re.compile(r"\bqserver-user(-group)?(?:-bin)?(?=: )")


def sentence(error: QueueServerError) -> str:
    """What the caller is told."""
    if isinstance(error, Locked):
        return f"Invalid lock key: \n{describe_lock(error.lock)}"
    if error.reason == "GROUP_NOT_FOUND":
        return f"Unknown user group: {error.message}"
    return _BY_REASON.get(error.reason) or _CALLER.sub(_parameter, error.message)


def _parameter(found: re.Match[str]) -> str:
    return "user_group" if found[1] else "user"
