"""`qserver queue simulate …` and `queue validate …`: before anything moves."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_client import Item, Simulation

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import Answer, ExitCode, WrongCommand
from queueserver_cli.plan_forms.plan_text import parse_plan
from queueserver_cli.positions import uid
from queueserver_cli.session import Session
from queueserver_cli.short_uids import item_uid
from queueserver_cli.words.event_words import counted
from queueserver_cli.words.item_warnings import tell_warnings
from queueserver_cli.words.legacy_json import plain


def simulate_plan(words: Sequence[str]) -> CommandBody:
    """`queue simulate plan PLAN`."""
    nothing_more(words[1:])
    return _simulate(_plan(words))


def simulate_item(words: Sequence[str]) -> CommandBody:
    """`queue simulate item UID`."""
    if not words:
        raise WrongCommand("UID is missing.")
    nothing_more(words[1:])
    return _simulate(uid(words[0]))


def validate_plan(words: Sequence[str]) -> CommandBody:
    """`queue validate plan PLAN`."""
    nothing_more(words[1:])
    item = _plan(words)

    async def action(session: Session) -> Answer:
        (verdict,) = await session.client.planning.validate([item])
        body = {"success": verdict.valid, "msg": str(verdict)}
        details = {
            "reason": verdict.reason,
            "violations": plain(verdict.violations),
            **tell_warnings(session, verdict.warnings),
        }
        return Answer(body, details, exit_code=ExitCode.SUCCESS if verdict.valid else ExitCode.REFUSED)

    return action


def _plan(words: Sequence[str]) -> Item:
    if not words:
        raise WrongCommand("PLAN is missing.")
    return parse_plan(words[0])


def _simulate(subject: Item | str) -> CommandBody:
    async def action(session: Session) -> Answer | None:
        wanted = await item_uid(session, subject) if isinstance(subject, str) else subject
        found = await session.client.planning.simulate(wanted)
        code = ExitCode.REFUSED if found.problems else ExitCode.SUCCESS
        tell_warnings(session, found.warnings)
        if session.printer.as_json:
            return Answer({"success": not found.problems, "msg": "", "simulation": plain(found)}, exit_code=code)
        _show(session, found)
        return Answer({"success": not found.problems, "msg": _summary(found)}, exit_code=code)

    return action


def _show(session: Session, found: Simulation) -> None:
    """What would happen, and in red what would fail."""
    session.printer.coloured(found.text.rstrip("\n"))
    for problem in found.problems:
        where = f" ({problem.device})" if problem.device else ""
        session.printer.coloured(f"message {problem.at_message}{where}: {problem.message}", colour="red")


def _summary(found: Simulation) -> str:
    parts = [counted(found.runs, "run"), counted(found.points, "point"), counted(found.messages, "message")]
    if found.duration:
        parts.append(f"at least {found.duration:.3g} s")
    if found.truncated:
        parts.append("cut at the limit: this is only the beginning")
    return ", ".join(parts) + "; nothing was moved"
