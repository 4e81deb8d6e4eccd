"""`qserver environment report`: what was left out of the startup code and why, and what of it is not checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from queueserver_client import Environment, EnvironmentState, InventoryIssue, PlanDescription

from queueserver_cli.display.table_display import show_table
from queueserver_cli.outcome import Answer
from queueserver_cli.session import Session
from queueserver_cli.words.legacy_json import plain

_LEFT_OUT = ("what", "name", "where", "why")
_NOT_CHECKED = ("plan", "parameter", "annotation", "not checked")


@dataclass(frozen=True)
class UncheckedParameter:
    """A parameter of which not everything is checked before its plan runs."""

    plan: str
    parameter: str
    annotation: str
    #: The part of the annotation that is not checked.
    unchecked: str


async def report(session: Session) -> Answer | None:
    """`environment report`."""
    environment = await session.client.environment.get()
    issues = await session.client.inventory.issues()
    unchecked = _unchecked((await session.client.inventory.plans(existing=True)).plans)
    if session.printer.as_json:
        body = {"success": True, "msg": "", "issues": plain(issues), "unchecked": plain(unchecked)}
        failure = plain(environment.failure) if environment.failure else None
        told = {"environment_state": environment.state.value, "failure": failure}
        told |= {"python": environment.python, "bluesky_version": environment.bluesky_version}
        return Answer(body, told)
    is_present = _tell_state(session, environment)
    if issues:
        when = "" if is_present else ", as it was when an environment was last open"
        session.printer.line(f"Left out of the startup code{when}: {len(issues)}")
        rows = [[str(issue.kind), issue.name, _place(issue), issue.message] for issue in issues]
        show_table(session, _LEFT_OUT, rows, wrapped=_LEFT_OUT)
    elif is_present:
        session.printer.line("Nothing was left out: every plan and device of the startup code can be used.")
    if unchecked:
        session.printer.line(f"Parameters of which not everything is checked before the plan runs: {len(unchecked)}")
        rows = [[one.plan, one.parameter, one.annotation, one.unchecked] for one in unchecked]
        show_table(session, _NOT_CHECKED, rows, wrapped=_NOT_CHECKED)
    return None


def _place(issue: InventoryIssue) -> str:
    return f"{issue.file}:{issue.line}" if issue.file else ""


def _tell_state(session: Session, environment: Environment) -> bool:
    """Say why the report is not about an open environment; returns whether it is about one."""
    failure = environment.failure
    if environment.state is EnvironmentState.INITIALIZING:
        session.printer.line("The environment is being opened: what is left out is known when it is open.")
    elif failure is not None:
        place = f" ({failure.file}, line {failure.line})" if failure.file else ""
        session.printer.line(f"There is no environment. {failure.message}{place}")
        if failure.traceback:
            session.printer.coloured(failure.traceback.rstrip(), colour="red")
        session.printer.line("What else would be left out is known when it opens.")
    elif environment.state is EnvironmentState.CLOSED:
        never = not environment.environment_id
        session.printer.line("No environment was opened yet." if never else "The environment is closed.")
    else:
        versions = " with bluesky ".join(filter(None, (environment.python, environment.bluesky_version)))
        session.printer.line(f"The environment runs on {versions}.")
        return True
    return False


def _unchecked(plans: Sequence[PlanDescription]) -> list[UncheckedParameter]:
    return [
        UncheckedParameter(plan.name, parameter.name, parameter.annotation, parameter.unchecked)
        for plan in plans
        for parameter in plan.parameters
        if parameter.unchecked
    ]
