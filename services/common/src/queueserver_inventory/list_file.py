"""The file existing_plans_and_devices.yaml: plans and devices, kept so that they are known without an environment.

Guarantees: one inventory has one text, so texts tell whether anything changed; the text is YAML that every reader
understands, in the form that bluesky-queueserver writes. A file of any content is read or refused; an entry that makes
no sense is left out and listed, and does not hide the others.
Issues are not kept, and what `list_entries` names is not exactly kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import yaml
from queueserver.common.v1 import inventory_pb2 as pb

from queueserver_inventory.list_entries import Entry, EntryError, device_entry, device_of, plan_entry, plan_of

FILE_NAME: Final = "existing_plans_and_devices.yaml"
#: Longest text that is read, in characters.
LONGEST_TEXT: Final = 64 * 1024 * 1024
#: Most values that are read; what aliases of YAML refer to counts each time.
MOST_NODES: Final = 5_000_000
_FIRST_LINE: Final = "# This file is generated automatically; whoever edits it loses the changes."
_DEVICES: Final = "existing_devices"
_PLANS: Final = "existing_plans"
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)
_NOT_PLAIN: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
# The one in C is ten times as fast; it is missing where PyYAML was built without libyaml.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ListFileError(ValueError):
    """The text is no list of plans and devices; the message is one sentence that says why."""


def write_list(inventory: pb.Inventory) -> str:
    """The text of the file."""
    return "\n".join([_FIRST_LINE, *_device_lines(inventory), *_plan_lines(inventory), ""])


def read_list(text: str) -> pb.Inventory:
    """Plans and devices that a text lists; its issues tell what had to be left out. Raises ListFileError."""
    if len(text) > LONGEST_TEXT:
        raise ListFileError(
            f"The list of plans and devices has more than {LONGEST_TEXT:,} characters; generate it again."
        )
    try:
        content = _loaded(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        first = " ".join(str(error).split())[:200]
        raise ListFileError(f"The list of plans and devices is no YAML ({first}); generate it again.") from error
    if _size(content, {}) > MOST_NODES:
        raise ListFileError(f"The list of plans and devices has more than {MOST_NODES:,} parts; generate it again.")
    if not isinstance(content, Mapping):
        raise ListFileError(
            f"The list of plans and devices must be a mapping with {_PLANS} and {_DEVICES}; generate it again."
        )
    inventory = pb.Inventory()
    for name, entry in _entries(content, _PLANS):
        try:
            inventory.plans.append(plan_of(name, entry))
        except EntryError as error:
            inventory.issues.append(_issue(pb.INVENTORY_ISSUE_KIND_PLAN, name, error))
    known: dict[int, pb.DeviceDescription] = {}
    for name, entry in _entries(content, _DEVICES):
        try:
            if id(entry) not in known:
                known[id(entry)] = device_of(name, entry)
            inventory.devices.add().CopyFrom(known[id(entry)])
            inventory.devices[-1].name = name
        except EntryError as error:
            inventory.issues.append(_issue(pb.INVENTORY_ISSUE_KIND_DEVICE, name, error))
    return inventory


def _loaded(text: str) -> Any:
    """Load YAML; of a text that was written here, what occurs many times only once."""
    try:
        return _loaded_in_blocks(text)
    except (_NotInBlocksError, yaml.YAMLError):
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both candidates are safe loaders


def _loaded_in_blocks(text: str) -> dict[str, dict[str, Any]]:
    """Load a text that consists of mappings of blocks, each block once. Raises _NotInBlocksError for any other."""
    lines = text.split("\n")
    if lines[0] != _FIRST_LINE:
        raise _NotInBlocksError
    content: dict[str, dict[str, list[str]]] = {}
    block: list[str] = []
    for line in lines[1:]:
        if line.startswith("    "):
            block.append(line)
        elif line.startswith("  ") and line.endswith(":") and content:
            block = []
            content[next(reversed(content))][_name_of(line[2:-1])] = block
        elif line in (f"{_DEVICES}:", f"{_PLANS}:"):
            content[line[:-1]] = {}
        elif line:
            raise _NotInBlocksError
    known: dict[str, Any] = {}
    for blocks in content.values():
        for body in map("\n".join, blocks.values()):
            if body not in known:
                known[body] = yaml.load(body, Loader=_LOADER)  # noqa: S506 - as above
    return {key: {name: known["\n".join(body)] for name, body in blocks.items()} for key, blocks in content.items()}


def _name_of(key: str) -> str:
    if key.startswith('"'):
        key = yaml.load(key, Loader=_LOADER)  # noqa: S506 - as above
    if not isinstance(key, str):
        raise _NotInBlocksError
    return key


class _NotInBlocksError(Exception):
    """A text was not written here."""


def _size(value: object, known: dict[int, int]) -> int:
    """Number of values in a value. Nothing is looked at twice, so aliases that multiply do no harm."""
    if not isinstance(value, (Mapping, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = MOST_NODES  # stands for itself while it is looked at: what contains itself is too large
        parts = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(value)]


def _entries(content: Mapping[Any, Any], key: str) -> list[tuple[str, Any]]:
    entries = content.get(key) or {}
    if not isinstance(entries, Mapping) or not all(isinstance(name, str) for name in entries):
        raise ListFileError(f"{key} in the list of plans and devices must be a mapping; generate the list again.")
    return sorted(entries.items())


def _issue(kind: pb.InventoryIssueKind.ValueType, name: str, error: EntryError) -> pb.InventoryIssue:
    message = f"{name} in the list of plans and devices was left out, because {error}; generate the list again."
    return pb.InventoryIssue(name=name, kind=kind, message=message)


# YAML is written here and not by PyYAML, which takes seconds for the 50,000 components of a large beamline: devices of
# one class have the same text, which is made once.


def _device_lines(inventory: pb.Inventory) -> Iterator[str]:
    yield f"{_DEVICES}:" if inventory.devices else f"{_DEVICES}: {{}}"
    blocks: dict[bytes, str] = {}
    for device in sorted(inventory.devices, key=lambda device: device.name):
        nameless = pb.DeviceDescription()
        nameless.CopyFrom(device)
        nameless.ClearField("name")
        content = nameless.SerializeToString(deterministic=True)
        if content not in blocks:
            blocks[content] = "\n".join(_mapping_lines(device_entry(device), "    "))
        yield f"  {_scalar(device.name)}:"
        yield blocks[content]


def _plan_lines(inventory: pb.Inventory) -> Iterator[str]:
    yield f"{_PLANS}:" if inventory.plans else f"{_PLANS}: {{}}"
    yield from _mapping_lines({plan.name: plan_entry(plan) for plan in inventory.plans}, "  ")


def _mapping_lines(entry: Entry, indent: str) -> Iterator[str]:
    for key in sorted(entry):
        value = entry[key]
        if value and isinstance(value, dict):
            yield f"{indent}{_scalar(key)}:"
            yield from _mapping_lines(value, f"{indent}  ")
        elif value and isinstance(value, list):
            yield f"{indent}{_scalar(key)}:"
            yield from _list_lines(value, indent)
        else:
            yield f"{indent}{_scalar(key)}: {_leaf(value)}"


def _list_lines(values: list[Any], indent: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            first, *others = _mapping_lines(value, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from others
        else:
            yield f"{indent}- {_leaf(value)}"


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
