"""The context of a running command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from queueserver_client import AsyncClient

from queueserver_cli.display.printer import Printer


@dataclass(frozen=True)
class Session:
    """One run of one command."""

    client: AsyncClient
    printer: Printer
    #: The options by their keys (queueserver_cli.command_line.options); those that were not given may be missing.
    options: Mapping[str, Any] = field(default_factory=dict)

    def switch(self, key: str) -> bool:
        """Whether an option without a value was given."""
        return bool(self.options.get(key))

    def text(self, key: str) -> str:
        """The value of an option; empty if it was not given."""
        return self.options.get(key) or ""

    @property
    def wait(self) -> bool:
        """Follow the operation to its end instead of returning when it is accepted."""
        return self.switch("wait")

    @property
    def validate_only(self) -> bool:
        """Check what would be added, updated or executed, and change nothing."""
        return self.switch("validate_only")

    @property
    def resume(self) -> str:
        """Token of an earlier watch, to continue from there; empty to begin with the state as it is."""
        return self.text("resume")
