"""What can keep a standalone server from starting or from continuing. Each text says what to do next."""

from __future__ import annotations


class StandaloneError(Exception):
    """A mistake that the person at the terminal has to correct. Its text is shown as it is."""
