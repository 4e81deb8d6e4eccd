"""What a command has at hand while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from queueserver_client import AsyncClient

from queueserver_cli.printer import Printer


@dataclass(frozen=True)
class Session:
    """One run of one command."""

    client: AsyncClient
    printer: Printer
    #: Follow the operation to its end instead of returning when it is accepted.
    wait: bool
    #: Check what would be added, updated or executed, and change nothing.
    validate_only: bool = False
    #: Token of an earlier watch, to go on from there; empty to begin anew.
    resume: str = ""
