"""Permissions as JSON, in the store and in its event log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from queueserver_inventory.access import GroupRules

from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.store.codecs import codec

_LISTS = tuple(field.name for field in fields(GroupRules) if not field.name.startswith("all_"))


def encode_permissions(permissions: Permissions) -> bytes:
    """JSON of permissions."""
    return codec.encode(permission_fields(permissions))


def decode_permissions(data: bytes) -> Permissions:
    """Permissions from their JSON."""
    return permissions_of(codec.decode(data))


def permission_fields(permissions: Permissions) -> dict[str, Any]:
    """Permissions as plain data; what is empty or false is left out."""
    return {
        "user_groups": {
            name: {field.name: value for field in fields(rules) if (value := getattr(rules, field.name))}
            for name, rules in permissions.groups.items()
        }
    }


def permissions_of(plain: Mapping[str, Any]) -> Permissions:
    """Permissions from plain data."""
    return Permissions({name: _rules(rules) for name, rules in plain["user_groups"].items()})


def _rules(plain: Mapping[str, Any]) -> GroupRules:
    return GroupRules(
        all_plans=plain.get("all_plans", False),
        all_devices=plain.get("all_devices", False),
        all_functions=plain.get("all_functions", False),
        **{name: tuple(plain.get(name, ())) for name in _LISTS},
    )
