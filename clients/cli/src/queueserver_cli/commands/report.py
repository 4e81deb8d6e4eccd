"""`qserver environment report`: what of the startup code was left out, and why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from queueserver_cli.grammar import Action
from queueserver_cli.outcome import Answer
from queueserver_cli.places import nothing_more
from queueserver_cli.session import Session
from queueserver_cli.vocabulary import plain


def report(words: Sequence[str]) -> Action:
    """`environment report`."""
    nothing_more(words)
    return _report


async def _report(session: Session) -> Answer | None:
    issues = await session.client.inventory.issues()
    if session.printer.as_json:
        return Answer({"success": True, "msg": "", "issues": plain(issues)})
    if not issues:
        session.printer.line("Nothing was left out: every plan and device of the startup code can be used.")
        return None
    session.printer.line(f"Left out of the startup code: {len(issues)}")
    table = Table("what", "name", "where", "why")
    for issue in issues:
        where = f"{issue.file}:{issue.line}" if issue.file else ""
        table.add_row(str(issue.kind), issue.name, where, issue.message)
    Console().print(table)
    return None
