"""Who calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Name and user group of the caller, from the credentials of the call."""

    user: str
    user_group: str
