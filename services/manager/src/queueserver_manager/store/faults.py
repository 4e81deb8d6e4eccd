"""Why Redis did not do what it was asked to: from its errors to what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from queueserver_manager.domain.storage import Fault, StorageState
from queueserver_manager.store.port import StoreDown
from queueserver_manager.store.primary.sentinels import PrimaryInDoubtError
from queueserver_manager.store.replicas import TooFewReplicasError

_LONGEST_REASON = 200
_TYPES: Sequence[tuple[type[Exception], StorageState]] = (
    (BusyLoadingError, StorageState.LOADING),
    (OutOfMemoryError, StorageState.OUT_OF_MEMORY),
    (ReadOnlyError, StorageState.READ_ONLY),
    (MovedError, StorageState.UNREACHABLE),
    (ClusterDownError, StorageState.UNREACHABLE),
    (TooFewReplicasError, StorageState.READ_ONLY),
    (PrimaryInDoubtError, StorageState.READ_ONLY),
    (AuthenticationError, StorageState.REFUSED),
    (AuthorizationError, StorageState.REFUSED),
    (NoPermissionError, StorageState.REFUSED),
)
#: By the word that begins an answer of Redis, also where it is inside the answer of a script.
_CODES = {
    "OOM": StorageState.OUT_OF_MEMORY,
    "READONLY": StorageState.READ_ONLY,
    "NOREPLICAS": StorageState.READ_ONLY,
    "MASTERDOWN": StorageState.READ_ONLY,
    "LOADING": StorageState.LOADING,
    # A script takes long: it serves no other client meanwhile.
    "BUSY": StorageState.UNREACHABLE,
    "NOAUTH": StorageState.REFUSED,
    "NOPERM": StorageState.REFUSED,
    "WRONGPASS": StorageState.REFUSED,
}
_CODE = re.compile(rf"\b({'|'.join(_CODES)}|MISCONF)\b ?")
#: The answer to a first command without a password says how to say hello, which is of no use to people.
_HELLO_FIRST = "HELLO must be called with"
_FULL = re.compile("no space left|quota|file too large", re.IGNORECASE)


def fault_of(error: Exception) -> Fault:
    """What is wrong with a Redis that answered, or did not answer, with this error."""
    text = " ".join(str(error).split())
    if text.startswith(_HELLO_FIRST):
        return Fault(StorageState.REFUSED, "it wants a password")
    for kind, state in _TYPES:
        if isinstance(error, kind):
            return Fault(state, text[:_LONGEST_REASON])
    code = _CODE.search(text) if isinstance(error, ResponseError) else None
    if code is not None:
        # What Redis says about a script that it stopped is of no use to people.
        text = text[code.end() :].removesuffix(".")[:_LONGEST_REASON]
        if code.group(1) != "MISCONF":
            return Fault(_CODES[code.group(1)], text)
        return Fault(StorageState.DISK_FULL if _FULL.search(text) else StorageState.DISK_ERROR, text)
    if isinstance(error, (RedisConnectionError, RedisTimeoutError, OSError)):
        return Fault(StorageState.UNREACHABLE, text.removesuffix(".")[:_LONGEST_REASON])
    return Fault(StorageState.REFUSED, text[:_LONGEST_REASON])


def store_down(error: Exception, *, fate_known: bool) -> StoreDown:
    """What an error means to a caller that wanted something stored.

    A Redis that takes no changes refuses the first one of a script, and with it the script: then nothing was written.
    """
    fault = fault_of(error)
    refused = isinstance(error, ResponseError) and fault.state is not StorageState.REFUSED
    return StoreDown(str(error), fate_known=fate_known or refused, fault=fault)
