"""Warnings about an accepted item: in yellow for people, as data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queueserver_client import ItemWarning

from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import plain


def tell_warnings(session: Session, warnings: Sequence[ItemWarning]) -> dict[str, Any]:
    """Show warnings to people; returns their form for `--json`."""
    for warning in warnings:
        session.printer.note(f"Warning: {warning.message}", colour="yellow")
    return {"warnings": plain(warnings)}
