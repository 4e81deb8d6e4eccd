"""`qserver why`: the obstacles to the next plan, and what to type about each."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import BlockerKind

from queueserver_cli.outcome import Answer
from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import plain


async def why(session: Session) -> Answer | None:
    """`why`."""
    blockers = await session.client.explain_idle()
    if session.printer.as_json:
        body = {"success": True, "msg": "", "blockers": plain(blockers), "warnings": list(blockers.warnings)}
        return Answer(body | {"failed_execution": plain(blockers.failed_execution)})
    if not blockers:
        session.printer.line("Nothing blocks the queue: a plan is running.")
        _warn(session, blockers.warnings)
        return None
    failed = blockers.failed_execution
    session.printer.line("This blocks the next plan:")
    for number, blocker in enumerate(blockers, 1):
        session.printer.coloured(blocker.message, colour="yellow", before=f"{number:3}. ")
        if blocker.kind is BlockerKind.NOT_STARTED and failed is not None and failed.item_uid:
            session.printer.coloured(f"all about it: qserver item {failed.item_uid}", before="     ")
        if blocker.remedy_command:
            session.printer.coloured(blocker.remedy_command, colour="green", bold=True, before="     ")
    _warn(session, blockers.warnings)
    return None


def _warn(session: Session, warnings: Sequence[str]) -> None:
    """What blocks nothing yet but needs attention."""
    for warning in warnings:
        session.printer.coloured(warning, colour="yellow", before="  !  ")
