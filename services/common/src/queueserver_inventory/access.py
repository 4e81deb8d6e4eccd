"""What one submitter may name in a request: what both the group "root" and the submitter's own group allow.

Each group decides about a name by itself: allowed selects it, forbidden then removes it. Every component of a device
counts by itself: permission for ``stage`` is no permission for ``stage.x``, and the other way round. Access says
nothing about what code does that runs in the environment.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from queueserver_inventory.patterns import DevicePattern, NamePattern, Traits, device_pattern, name_pattern

PatternT = TypeVar("PatternT", DevicePattern, NamePattern)

#: Name of the group that limits all others.
ROOT = "root"


@dataclass(frozen=True, slots=True)
class GroupRules:
    """Rules of one group, as they are written: see GroupPermissions in the contract."""

    all_plans: bool = False
    allowed_plans: tuple[str, ...] = ()
    forbidden_plans: tuple[str, ...] = ()
    all_devices: bool = False
    allowed_devices: tuple[str, ...] = ()
    forbidden_devices: tuple[str, ...] = ()
    all_functions: bool = False
    allowed_functions: tuple[str, ...] = ()
    forbidden_functions: tuple[str, ...] = ()


def permitted_name_pattern(text: str) -> NamePattern:
    """Read a name or pattern of plans or functions as permissions have it. Raises PatternError."""
    return name_pattern(text, depth_tolerated=True)


class Access:
    """Rules of "root" and of one group, ready to use. Raises PatternError when made of wrong names or patterns."""

    def __init__(self, user_group: str, root: GroupRules, group: GroupRules) -> None:
        self.user_group = user_group
        self.root = root
        self.group = group
        both = (root,) if root == group else (root, group)
        self._plans = [
            _Filter(permitted_name_pattern, rules.allowed_plans, rules.forbidden_plans, everything=rules.all_plans)
            for rules in both
        ]
        self._devices = [
            _Filter(device_pattern, rules.allowed_devices, rules.forbidden_devices, everything=rules.all_devices)
            for rules in both
        ]
        self._functions = [
            _Filter(
                permitted_name_pattern,
                rules.allowed_functions,
                rules.forbidden_functions,
                everything=rules.all_functions,
            )
            for rules in both
        ]

    @classmethod
    def unlimited(cls) -> Access:
        """Allows everything: for callers without a group, where no permissions apply."""
        rules = GroupRules(all_plans=True, all_devices=True, all_functions=True)
        return cls(ROOT, rules, rules)

    def allows_plan(self, name: str) -> bool:
        """Whether the plan of that name may be used, if there is one."""
        return all(rules.passes_name(name) for rules in self._plans)

    def allows_function(self, name: str) -> bool:
        """Whether the function of that name may be used, if there is one."""
        return all(rules.passes_name(name) for rules in self._functions)

    def allows_device(self, path: Sequence[str] | str, traits: Traits) -> bool:
        """Whether the device or component itself may be used; the path may be a dotted name."""
        levels = path.split(".") if isinstance(path, str) else path
        # No generator here: whole trees of devices are checked.
        for rules in self._devices:  # noqa: SIM110
            if not rules.passes_device(levels, traits):
                return False
        return True

    def within_device(self, name: str) -> DeviceAccess:
        """The same for one device and everything below it, for a check of a whole tree."""
        narrowed = [rules.within_device(name) for rules in self._devices]
        return DeviceAccess([rules for rules in narrowed if not rules.passes_all])


class DeviceAccess:
    """What may be used of one device. Patterns that can't concern it are left out, so that few of many are checked."""

    def __init__(self, filters: Sequence[_Filter[DevicePattern]]) -> None:
        self._filters = filters

    def allows(self, path: Sequence[str], traits: Traits) -> bool:
        """Whether the device or component itself may be used."""
        for rules in self._filters:  # noqa: SIM110 - as in Access.allows_device
            if not rules.passes_device(path, traits):
                return False
        return True


class _Filter(Generic[PatternT]):
    """What one group allows and forbids of one sort of things. Plain names are looked up, patterns are searched."""

    def __init__(
        self,
        read: Callable[[str], PatternT],
        allowed: Sequence[str],
        forbidden: Sequence[str],
        *,
        everything: bool,
    ) -> None:
        self._everything = everything
        allowing = [] if everything else [read(text) for text in allowed]
        forbidding = [read(text) for text in forbidden]
        self._allowed_names = frozenset(pattern.text for pattern in allowing if pattern.is_name)
        self._allowed: tuple[PatternT, ...] = tuple(pattern for pattern in allowing if not pattern.is_name)
        self._forbidden_names = frozenset(pattern.text for pattern in forbidding if pattern.is_name)
        self._forbidden: tuple[PatternT, ...] = tuple(pattern for pattern in forbidding if not pattern.is_name)

    @property
    def passes_all(self) -> bool:
        """Whether everything is allowed."""
        return self._everything and not self._forbidden and not self._forbidden_names

    def within_device(self: _Filter[DevicePattern], name: str) -> _Filter[DevicePattern]:
        """The same rules without the patterns that select nothing of that device."""
        narrowed = copy.copy(self)
        narrowed._keep(lambda pattern: pattern.concerns(name))  # noqa: SLF001 - a copy of our own
        return narrowed

    def _keep(self, wanted: Callable[[PatternT], bool]) -> None:
        self._allowed = tuple(filter(wanted, self._allowed))
        self._forbidden = tuple(filter(wanted, self._forbidden))

    def passes_name(self: _Filter[NamePattern], name: str) -> bool:
        """Whether a plan or function is allowed and not forbidden."""
        allowed = self._everything or name in self._allowed_names
        if not allowed and not any(pattern.selects(name) for pattern in self._allowed):
            return False
        return name not in self._forbidden_names and not any(pattern.selects(name) for pattern in self._forbidden)

    def passes_device(self: _Filter[DevicePattern], path: Sequence[str], traits: Traits) -> bool:
        """Whether a device or component is allowed and not forbidden."""
        if not self._everything and not (self._allowed_names and ".".join(path) in self._allowed_names):
            for pattern in self._allowed:
                if pattern.selects(path, traits):
                    break
            else:
                return False
        if self._forbidden_names and ".".join(path) in self._forbidden_names:
            return False
        for pattern in self._forbidden:  # noqa: SIM110
            if pattern.selects(path, traits):
                return False
        return True
