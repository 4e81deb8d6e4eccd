"""State of Redis and of the Worker's directory: whether data can be stored, and if not, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class StorageState(Enum):
    """State of a storage place; the numbers are those of the contract."""

    OK = 1
    SPACE_LOW = 2
    DISK_FULL = 3
    DISK_ERROR = 4
    OUT_OF_MEMORY = 5
    READ_ONLY = 6
    UNREACHABLE = 7
    LOADING = 8
    REFUSED = 9
    NOT_STARTING = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """Why Redis stored nothing: the kind of fault, and Redis' own words."""

    state: StorageState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the process that keeps Redis running reports about it and its disk."""

    state: StorageState
    message: str = ""
    free_bytes: int | None = None
    needed_bytes: int | None = None

    @property
    def is_trouble(self) -> bool:
        """Redis can't run."""
        return self.state not in _WELL


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage place, as it is now."""

    state: StorageState = StorageState.OK
    #: A sentence: what is wrong, and what to do.
    message: str = ""
    #: Since when it has been in this state, if that is not OK; seconds since the epoch.
    since: float | None = None
    location: str = ""
    free_bytes: int | None = None
    needed_bytes: int | None = None

    @property
    def is_up(self) -> bool:
        """It takes what is to be stored."""
        return self.state in _WELL


_WELL = frozenset({StorageState.OK, StorageState.SPACE_LOW})
#: What is wrong with Redis at an address, for a reason.
_SENTENCES: Mapping[StorageState, str] = {
    StorageState.UNREACHABLE: "Redis{where} can't be reached{why}: make sure that it runs and responds.",
    StorageState.LOADING: "Redis{where} is loading its data{why}: wait until it is done.",
    StorageState.DISK_FULL: "Redis{where} can't store changes, disk full{why}: make room on its disk.",
    StorageState.DISK_ERROR: "Redis{where} can't write to its disk{why}: check the disk; the log of Redis says more.",
    StorageState.OUT_OF_MEMORY: "Redis{where} is out of memory{why}: raise its maxmemory, or free memory there.",
    StorageState.READ_ONLY: (
        "Redis{where} is read-only{why}: check its replicas and Sentinels, or give the address of its primary."
    ),
    StorageState.REFUSED: "Redis{where} refuses commands of this Manager{why}: correct its address or its settings.",
}


def sentence(fault: Fault, location: str) -> str:
    """What is wrong with the Redis at an address, and what to do."""
    form = _SENTENCES.get(fault.state, _SENTENCES[StorageState.UNREACHABLE])
    return form.format(where=f" at {location}" if location else "", why=f" ({fault.reason})" if fault.reason else "")
