"""Permissions as people write them: lists in which null in first place means everything, or nothing forbidden.

This is the form of ``user_group_permissions.yaml``, after the YAML was read. Only the form is checked here; whether
each name and pattern is valid is checked by ``permissions.violations_of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from queueserver_inventory.access import GroupRules

from queueserver_manager.domain.permissions.names import composed
from queueserver_manager.domain.permissions.permissions import REPEATED_GROUP
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.validation.type_words import near_matches

_SUBJECTS = ("plans", "devices", "functions")
_LISTS = tuple(f"{verb}_{subject}" for subject in _SUBJECTS for verb in ("allowed", "forbidden"))
_LONGEST_SHOWN = 60


def read_document(document: Any) -> tuple[dict[str, GroupRules], list[Violation]]:
    """Groups of a document, and what is wrong with its form; the groups count only if nothing is wrong."""
    found: list[Violation] = []
    groups: dict[str, GroupRules] = {}
    if isinstance(document, Mapping):
        found += [_unknown(key, key, ("user_groups",)) for key in document if key != "user_groups"]
    if not isinstance(document, Mapping) or not isinstance(document.get("user_groups"), Mapping):
        found.append(Violation("user_groups", "required: a mapping from names of groups to their rules"))
        return groups, found
    for name, rules in document["user_groups"].items():
        path = f"user_groups[{_shown(name)}]"
        if not isinstance(name, str):
            found.append(Violation(path, "the name of a group must be text: put it into quotes"))
        elif rules is not None and not isinstance(rules, Mapping):
            found.append(Violation(path, f"must be a mapping with some of {', '.join(_LISTS)}"))
        elif composed(name) in groups:
            found.append(Violation(path, REPEATED_GROUP))
        else:
            groups[composed(name)] = _rules(rules or {}, path, found)
    return groups, found


def _rules(written: Mapping[Any, Any], path: str, found: list[Violation]) -> GroupRules:
    found += [_unknown(f"{path}.{_shown(key)}", key, _LISTS) for key in written if key not in _LISTS]
    values: dict[str, Any] = {}
    for subject in _SUBJECTS:
        everything, allowed = _entries(written.get(f"allowed_{subject}"), f"{path}.allowed_{subject}", found)
        nothing, forbidden = _entries(written.get(f"forbidden_{subject}"), f"{path}.forbidden_{subject}", found)
        values[f"all_{subject}"] = everything
        values[f"allowed_{subject}"] = () if everything else allowed
        values[f"forbidden_{subject}"] = () if nothing else forbidden
    return GroupRules(**values)


def _unknown(path: str, key: Any, known: tuple[str, ...]) -> Violation:
    """What is wrong with an unknown key."""
    near = near_matches(_shown(key), known)
    hint = f"did you mean {near}?" if near else f"there {'is only' if len(known) == 1 else 'are'} {', '.join(known)}"
    return Violation(_shown(path), f"unknown key {_shown(key)!r}: {hint}")


def _entries(written: Any, path: str, found: list[Violation]) -> tuple[bool, tuple[str, ...]]:
    """Whether null is in first place, and the names and patterns."""
    if written is None:
        return False, ()
    if not isinstance(written, list):
        found.append(Violation(path, "must be a list of names and patterns"))
        return False, ()
    entries: list[str] = []
    for index, entry in enumerate(written):
        if isinstance(entry, str):
            entries.append(entry)
        elif entry is not None:
            found.append(Violation(f"{path}[{index}]", f"{_shown(entry)} is not text: put it into quotes"))
        elif index > 0:
            found.append(Violation(f"{path}[{index}]", "null has a meaning only in the first place: move or remove it"))
    return bool(written) and written[0] is None, tuple(entries)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
