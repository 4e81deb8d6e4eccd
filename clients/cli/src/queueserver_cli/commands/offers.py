"""`qserver plans`, `devices` and `functions`: what may be used here, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from queueserver_client import DeviceDescription, PlanDescription

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.display.table_display import show_table
from queueserver_cli.outcome import Answer
from queueserver_cli.session import Session
from queueserver_cli.words.event_words import counted
from queueserver_cli.words.legacy_json import plain
from queueserver_cli.words.parameter_words import HEADINGS, parameter_rows, parameters, signature

#: Levels of components that are shown below a device.
_LEVELS = 4


def plans(words: Sequence[str]) -> CommandBody:
    """`plans [NAME]`."""
    nothing_more(words[1:])

    async def all_of_them(session: Session) -> Answer | None:
        found = await session.client.inventory.plans()
        if session.printer.as_json:
            listed = {plan.name: plain(plan) for plan in found.plans}
            return Answer({"success": True, "msg": "", "plans": listed, "plans_allowed_uid": found.uid})
        if not found.plans:
            session.printer.coloured("There are no plans that you may use. See: qserver environment report")
            return None
        rows = [[plan.name, parameters(plan), _first_line(plan.description)] for plan in found.plans]
        show_table(session, ("plan", "parameters", "what it does"), rows, wrapped=("parameters", "what it does"))
        session.printer.note("All about one of them: qserver plans NAME")
        return None

    async def one(session: Session) -> Answer | None:
        plan = await session.client.inventory.plan(words[0])
        if session.printer.as_json:
            return Answer({"success": True, "msg": "", "plan": plain(plan)})
        _show_plan(session, plan)
        return None

    return one if words else all_of_them


def _show_plan(session: Session, plan: PlanDescription) -> None:
    session.printer.coloured(signature(plan), bold=True)
    if plan.module:
        session.printer.coloured(f"of {plan.module}")
    if plan.description:
        session.printer.coloured(f"\n{plan.description.rstrip()}")
    if not plan.parameters:
        session.printer.coloured("\nIt takes no parameters.")
        return
    session.printer.coloured("")
    show_table(session, HEADINGS, parameter_rows(plan.parameters), wrapped=("meaning",))


def devices(words: Sequence[str]) -> CommandBody:
    """`devices [NAME]`."""
    nothing_more(words[1:])

    async def all_of_them(session: Session) -> Answer | None:
        found = await session.client.inventory.devices()
        if session.printer.as_json:
            listed = {device.name: plain(device) for device in found.devices}
            return Answer({"success": True, "msg": "", "devices": listed, "devices_allowed_uid": found.uid})
        if not found.devices:
            session.printer.coloured("There are no devices that you may use. See: qserver environment report")
            return None
        rows = [[*_device_row(device), _components(device)] for device in found.devices]
        show_table(session, ("device", "can", "class", "below it"), rows, wrapped=("class",))
        session.printer.note("What is below one of them: qserver devices NAME")
        return None

    async def one(session: Session) -> Answer | None:
        device = await session.client.inventory.device(words[0])
        if session.printer.as_json:
            return Answer({"success": True, "msg": "", "device": plain(device)})
        rows = [_device_row(device), *_below(device, device.name, 1)]
        show_table(session, ("device", "can", "class"), rows, wrapped=("class",))
        return None

    return one if words else all_of_them


def _device_row(device: DeviceDescription, name: str = "") -> list[str]:
    able = {"read": device.is_readable, "move": device.is_movable, "fly": device.is_flyable}
    words = "only what is below it" if device.excluded else ", ".join(word for word, can in able.items() if can)
    return [name or device.name, words, device.classname]


def _components(device: DeviceDescription) -> str:
    return counted(len(device.components), "component") if device.components else ""


def _below(device: DeviceDescription, path: str, level: int) -> Iterator[list[str]]:
    for component in device.components:
        name = f"{path}.{component.name}"
        yield _device_row(component, name)
        if level < _LEVELS:
            yield from _below(component, name, level + 1)


async def functions(session: Session) -> Answer | None:
    """`functions`."""
    found = await session.client.inventory.functions()
    if session.printer.as_json:
        return Answer({"success": True, "msg": "", "functions": {each.name: plain(each) for each in found}})
    if not found:
        session.printer.coloured("There are no functions that you may call. See: qserver permissions get")
        return None
    rows = [[f"{each.name}{each.signature}", each.description] for each in found]
    show_table(session, ("function", "what it does"), rows, wrapped=("what it does",))
    return None


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
