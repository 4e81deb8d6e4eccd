"""The caller."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """Name and user group of the caller, from the credentials of the call."""

    user: str
    #: Empty if the caller sent none; see :meth:`Permissions.acting_group`.
    user_group: str
    #: The caller says that it means to act as root, which is otherwise taken for a mistake.
    means_root: bool = False
    #: Key of the lock that came with the call beside its request; empty if there was none. It is not shown.
    lock_key: str = field(default="", repr=False)
