"""The file existing_plans_and_devices.yaml: plans and devices, kept so that they are known without an environment.

Guarantees: one inventory has one text, so texts tell whether anything changed; the text is YAML that every reader
understands, in the form that bluesky-queueserver writes. A file of any content is read or refused; an entry that makes
no sense is left out and listed, and does not hide the others.
Issues are not kept, and the exceptions named in `list_entries` are not kept exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import yaml

from queueserver_inventory.description_sizes import MAX_DEVICE_BYTES, MAX_PLAN_BYTES, Sizes
from queueserver_inventory.descriptions import (
    DeviceDescription,
    Inventory,
    InventoryIssue,
    InventoryIssueKind,
    PlanDescription,
)
from queueserver_inventory.list_entries import (
    FILE_NAME,
    Entry,
    EntryError,
    device_entry,
    device_of,
    plan_entry,
    plan_of,
)
from queueserver_inventory.list_loading import DEVICES, FIRST_LINE, LONGEST_TEXT, PLANS, ListFileError, load_list

__all__ = ["FILE_NAME", "LONGEST_TEXT", "ListFileError", "read_list", "write_list"]

_PLAIN: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)
_NOT_PLAIN: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def write_list(inventory: Inventory) -> str:
    """The text of the file."""
    return "\n".join([FIRST_LINE, *_device_lines(inventory), *_plan_lines(inventory), ""])


def read_list(text: str) -> Inventory:
    """Plans and devices that a text lists; its issues say what had to be left out. Raises ListFileError."""
    content = load_list(text)
    plans: list[PlanDescription] = []
    devices: list[DeviceDescription] = []
    issues: list[InventoryIssue] = []
    sizes = Sizes()
    for name, entry in content[PLANS]:
        try:
            plan = plan_of(name, entry)
            _check_size(sizes.plan(plan), MAX_PLAN_BYTES)
            plans.append(plan)
        except (EntryError, UnicodeError) as error:
            issues.append(_issue(InventoryIssueKind.PLAN, name, error))
    known: dict[int, DeviceDescription] = {}
    for name, entry in content[DEVICES]:
        try:
            if id(entry) not in known:
                known[id(entry)] = device_of(name, entry)
            device = replace(known[id(entry)], name=name)
            _check_size(sizes.device(device), MAX_DEVICE_BYTES)
            devices.append(device)
        except (EntryError, UnicodeError) as error:
            issues.append(_issue(InventoryIssueKind.DEVICE, name, error))
    return Inventory(tuple(plans), tuple(devices), tuple(issues))


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise EntryError(f"its description has {size} bytes, and at most {most} are allowed")


def _issue(kind: InventoryIssueKind, name: str, error: Exception) -> InventoryIssue:
    name = name.encode("utf-8", "backslashreplace").decode()
    message = f"{name} in the list of plans and devices was left out, because {error}; generate the list again."
    return InventoryIssue(name=name, kind=kind, message=message)


# YAML is written here and not by PyYAML, which takes seconds for the 50,000 components of a large beamline: devices of
# one class have the same text, which is made once.


def _device_lines(inventory: Inventory) -> Iterator[str]:
    yield f"{DEVICES}:" if inventory.devices else f"{DEVICES}: {{}}"
    blocks: dict[DeviceDescription, str] = {}
    for device in sorted(inventory.devices, key=lambda device: device.name):
        content = replace(device, name="")
        if content not in blocks:
            lines: list[str] = []
            _add_mapping(lines, device_entry(device), "    ")
            blocks[content] = "\n".join(lines)
        yield f"  {_scalar(device.name)}:"
        yield blocks[content]


def _plan_lines(inventory: Inventory) -> list[str]:
    lines = [f"{PLANS}:" if inventory.plans else f"{PLANS}: {{}}"]
    _add_mapping(lines, {plan.name: plan_entry(plan) for plan in inventory.plans}, "  ")
    return lines


def _add_mapping(lines: list[str], entry: Entry, indent: str) -> None:
    for key in sorted(entry):
        value = entry[key]
        if value and isinstance(value, dict):
            lines.append(f"{indent}{_scalar(key)}:")
            _add_mapping(lines, value, f"{indent}  ")
        elif value and isinstance(value, list):
            lines.append(f"{indent}{_scalar(key)}:")
            _add_list(lines, value, indent)
        else:
            lines.append(f"{indent}{_scalar(key)}: {_leaf(value)}")


def _add_list(lines: list[str], values: list[Any], indent: str) -> None:
    for value in values:
        if isinstance(value, dict):
            first = len(lines)
            _add_mapping(lines, value, f"{indent}  ")
            lines[first] = f"{indent}- {lines[first].lstrip()}"
        else:
            lines.append(f"{indent}- {_leaf(value)}")


def _leaf(value: object) -> str:
    if isinstance(value, str):
        return _scalar(value)
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)


@lru_cache(maxsize=4096)
def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_PLAIN:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return quoted.rstrip("\n")
