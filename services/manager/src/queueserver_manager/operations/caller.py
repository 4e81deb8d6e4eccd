"""Who calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Name and user group of the caller, from the credentials of the call."""

    user: str
    #: Empty if the caller sent none; see :meth:`Permissions.acting_group`.
    user_group: str
