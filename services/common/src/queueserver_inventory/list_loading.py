"""Loading the YAML of a list of plans and devices, which may be long, and may come from an untrusted author.

Guarantees: a text of any content is loaded or refused, within bounds; repeated parts of a text written here are
loaded once and are the same object wherever they occur.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from queueserver_inventory.yaml_problems import yaml_problem

#: Longest text that is read, in characters.
LONGEST_TEXT: Final = 64 * 1024 * 1024
#: The most values that are read; what aliases of YAML refer to counts each time.
MOST_NODES: Final = 5_000_000

FIRST_LINE: Final = "# This file is generated automatically; edits are lost."
DEVICES: Final = "existing_devices"
PLANS: Final = "existing_plans"
# The loader in C ends the process when its stack is used up, at some 30,000 levels.
_MOST_LEVELS: Final = 5_000
_BRACKET: Final = re.compile(r"[\[\]{}]")
# The one in C is ten times as fast; it is missing where PyYAML was built without libyaml.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ListFileError(ValueError):
    """The text is not a list of plans and devices; the message is one sentence that says why."""


def load_list(text: str) -> dict[str, list[tuple[str, Any]]]:
    """Load a text: for each of PLANS and DEVICES the entries with their names, in order. Raises ListFileError."""
    if len(text) > LONGEST_TEXT:
        raise ListFileError(
            f"The list of plans and devices has more than {LONGEST_TEXT:,} characters; generate it again."
        )
    if _most_levels(text) > _MOST_LEVELS:
        raise ListFileError(
            "The list of plans and devices has too many levels inside of each other; generate it again."
        )
    try:
        content = _loaded(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = yaml_problem(error)
        raise ListFileError(f"The list of plans and devices is not YAML ({problem}); generate it again.") from error
    if _size(content, {}) > MOST_NODES:
        raise ListFileError(f"The list of plans and devices has more than {MOST_NODES:,} parts; generate it again.")
    if not isinstance(content, Mapping):
        raise ListFileError(
            f"The list of plans and devices must be a mapping with {PLANS} and {DEVICES}; generate it again."
        )
    return {key: _entries(content, key) for key in (PLANS, DEVICES)}


def _loaded(text: str) -> Any:
    """Load YAML; of a text that was written here, repeated parts only once."""
    try:
        return _loaded_in_blocks(text)
    except (_NotInBlocksError, yaml.YAMLError):
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both candidates are safe loaders


def _loaded_in_blocks(text: str) -> dict[str, dict[str, Any]]:
    """Load a text that consists of mappings of blocks, each block once. Raises _NotInBlocksError for any other."""
    lines = text.split("\n")
    if lines[0] != FIRST_LINE:
        raise _NotInBlocksError
    content: dict[str, dict[str, list[str]]] = {}
    block: list[str] = []
    for line in lines[1:]:
        if line.startswith("    "):
            block.append(line)
        elif line.startswith("  ") and line.endswith(":") and content:
            block = []
            content[next(reversed(content))][_name_of(line[2:-1])] = block
        elif line in (f"{DEVICES}:", f"{PLANS}:"):
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


def _most_levels(text: str) -> int:
    """More levels than a text can nest, except by indentation, which takes a longer text."""
    level = deepest = 0
    for bracket in _BRACKET.finditer(text):
        level = level + 1 if bracket[0] in "[{" else max(level - 1, 0)
        deepest = max(deepest, level)
    return deepest + max(line.count("- ") + line.count("? ") for line in text.split("\n"))


def _size(value: object, known: dict[int, int]) -> int:
    """Number of values in a value. Nothing is visited twice, so aliases that multiply do no harm."""
    if not isinstance(value, (Mapping, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = MOST_NODES  # stands for itself while it is counted: what contains itself is too large
        parts = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(value)]


def _entries(content: Mapping[Any, Any], key: str) -> list[tuple[str, Any]]:
    entries = content.get(key) or {}
    if not isinstance(entries, Mapping) or not all(isinstance(name, str) for name in entries):
        raise ListFileError(f"{key} in the list of plans and devices must be a mapping; generate the list again.")
    return sorted(entries.items())
