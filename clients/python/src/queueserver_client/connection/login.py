"""The name under which a program without a user name acts: that of the account in which it runs."""

from __future__ import annotations

import getpass


def login_name() -> str | None:
    """Name of the account; None if it has none, as in many containers, or none that is text."""
    try:
        name = getpass.getuser()
    except (ImportError, KeyError, OSError):
        return None
    return name if name and name.isprintable() else None
