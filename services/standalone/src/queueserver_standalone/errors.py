"""What can keep a standalone server from starting or from going on. Each text says what to do next."""

from __future__ import annotations


class StandaloneError(Exception):
    """Something the person at the terminal has to put right. Its text is shown as it is."""
