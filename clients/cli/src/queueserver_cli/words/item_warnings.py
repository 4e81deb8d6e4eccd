"""What is odd about an item that was accepted: in yellow for people, as data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queueserver_client import ItemWarning

from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import plain


def tell_warnings(session: Session, warnings: Sequence[ItemWarning]) -> dict[str, Any]:
    """Show warnings to people; answers what `--json` has of them."""
    for warning in warnings:
        session.printer.note(f"Warning: {warning.message}", colour="yellow")
    return {"warnings": plain(warnings)}
