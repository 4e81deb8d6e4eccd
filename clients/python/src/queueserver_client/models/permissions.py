"""Permissions of user groups, between the form of the YAML file and the contract.

In the file a list is names and patterns; ``null`` in first place means everything (allowed) or nothing (forbidden).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from queueserver.common.v1 import permissions_pb2

from queueserver_client import values
from queueserver_client.errors import ValueNotRepresentable

_THINGS = ("plans", "devices", "functions")
_KEYS = tuple(f"{verb}_{thing}" for verb in ("allowed", "forbidden") for thing in _THINGS)


def permissions_to_proto(permissions: Mapping[str, Any]) -> permissions_pb2.UserGroupPermissions:
    """The message for ``{"user_groups": {name: {"allowed_plans": [...], ...}}}``. Raises ValueNotRepresentable."""
    _require_keys(permissions, ("user_groups",), "permissions")
    groups = permissions.get("user_groups")
    if not isinstance(groups, Mapping):
        raise ValueNotRepresentable.at("permissions", 'must be a dict with the one key "user_groups", a dict by group.')
    message = permissions_pb2.UserGroupPermissions()
    for name, rules in groups.items():
        path = f"user_groups.{name}"
        if not isinstance(rules, Mapping):
            raise ValueNotRepresentable.at(path, f"must be a dict with some of the keys {', '.join(_KEYS)}.")
        _require_keys(rules, _KEYS, path)
        group = message.user_groups[values.text(name, "the name of a group")]
        for thing in _THINGS:
            allowed = _texts(rules.get(f"allowed_{thing}"), f"{path}.allowed_{thing}")
            forbidden = _texts(rules.get(f"forbidden_{thing}"), f"{path}.forbidden_{thing}")
            if allowed is None:
                setattr(group, f"all_{thing}", True)
            getattr(group, f"allowed_{thing}").extend(allowed or ())
            getattr(group, f"forbidden_{thing}").extend(forbidden or ())
    return message


def _require_keys(given: Mapping[Any, object], known: Sequence[str], path: str) -> None:
    """Raise ValueNotRepresentable for an unknown key, with known ones that it may be a slip of."""
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key)[:100], known, n=2)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(known)}."
            raise ValueNotRepresentable.at(path, f"has the unknown key {str(key)[:100]!r}: {hint}")


def _texts(entries: object, path: str) -> list[str] | None:
    """Names and patterns of a list; None if null is in first place."""
    if entries is None:
        return []
    if not isinstance(entries, (list, tuple)):
        raise ValueNotRepresentable.at(path, f"must be a list, but is a {type(entries).__name__}.")
    listed: Sequence[object] = entries
    if listed and listed[0] is None:
        return None
    return [values.text(entry, f"{path}[{index}]") for index, entry in enumerate(listed)]


def permissions_from_proto(message: permissions_pb2.UserGroupPermissions) -> dict[str, Any]:
    """The form of the YAML file: every group with all six lists."""
    return {"user_groups": {name: _group(group) for name, group in sorted(message.user_groups.items())}}


def _group(group: permissions_pb2.GroupPermissions) -> dict[str, list[str | None]]:
    rules: dict[str, list[str | None]] = {}
    for thing in _THINGS:
        everything = getattr(group, f"all_{thing}")
        rules[f"allowed_{thing}"] = [None] if everything else list(getattr(group, f"allowed_{thing}"))
        rules[f"forbidden_{thing}"] = list(getattr(group, f"forbidden_{thing}")) or [None]
    return rules
