"""What is refused because of permissions, or of the files that the Manager was started with; see ``errors.py``.

Refused
├── InvalidRequest
│   └── PermissionsInvalid
├── NotPermitted
│   └── GroupNotAccepted
├── NotFound
│   └── GroupNotFound
└── WrongState
    ├── ReloadDisabled
    └── FileInvalid
"""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_manager.domain.refusals.errors import InvalidRequest, NotFound, NotPermitted, Violation, WrongState


def _first_of(violations: Sequence[Violation]) -> str:
    """The first violation, and how many more there are."""
    first, more = violations[0], len(violations) - 1
    rest = f", and {more} more" if more else ""
    return f"{first.field}: {first.description.removesuffix('.')}{rest}"


class PermissionsInvalid(InvalidRequest):
    """Permissions that can't be used; one violation for each wrong part."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(
            f"The permissions are wrong and nothing was changed: {_first_of(violations)}.", violations=violations
        )


class GroupNotAccepted(NotPermitted):
    """The caller's user group only limits other groups and can't submit anything itself."""


class GroupNotFound(NotFound):
    """The permissions have no such user group, the caller's own or a requested one."""


class ReloadDisabled(WrongState):
    """The Manager was told to read no file, or knows of none."""


class FileInvalid(WrongState):
    """A file that the Manager was started with can't be read, or can't be used."""

    def __init__(
        self,
        path: object,
        what: str,
        *,
        advice: str = "correct it, then reload it",
        violations: Sequence[Violation] = (),
    ) -> None:
        if violations:
            what = f"is wrong ({_first_of(violations)})"
        #: What is wrong, as a clause.
        self.clause = f"the file {path} {what}"
        super().__init__(f"The file {path} {what}: {advice}.", violations=violations)
