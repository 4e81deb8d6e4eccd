"""Who may use what: the permissions of all user groups, as one value.

What the rules mean is decided by ``queueserver_inventory``, which the Worker uses too. Here is which groups there
are, who may submit, and what permissions must look like before they are used: no part of them is used
unless all of them are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from queueserver_inventory.access import ROOT, Access, GroupRules, permitted_name_pattern
from queueserver_inventory.patterns import PatternError, device_pattern

from queueserver_manager.domain.permissions import names
from queueserver_manager.domain.permissions.permission_errors import GroupNotAccepted, GroupNotFound
from queueserver_manager.domain.refusals.errors import Violation

#: Bounds, documented in the contract.
MAX_GROUPS = 1_000
MAX_ENTRIES = 1_000
MAX_ENTRIES_IN_ALL = 20_000
MAX_BYTES = 2 * 1024 * 1024
#: Unicode has several ways to write one name.
REPEATED_GROUP = "is there twice, written in two ways that look the same: keep one of them"
_MOST_SHOWN = 20
#: A caller that sends no group, on a server without a configured choice, acts in the first of these that exists.
DEFAULT_GROUPS = ("admin", "primary")
#: Where that choice is configured.
DEFAULT_GROUP_OPTION = "--default-user-group"

#: Fields of GroupRules with names and patterns, and how each is read.
_READERS: Mapping[str, Callable[[str], object]] = {
    "allowed_plans": permitted_name_pattern,
    "forbidden_plans": permitted_name_pattern,
    "allowed_devices": device_pattern,
    "forbidden_devices": device_pattern,
    "allowed_functions": permitted_name_pattern,
    "forbidden_functions": permitted_name_pattern,
}


@dataclass(frozen=True)
class Permissions:
    """Rules of each group, by name of the group."""

    groups: Mapping[str, GroupRules]
    #: Why no group may use anything, if so; a clause without a full stop.
    problem: str = ""
    _accesses: dict[str, Access] = field(default_factory=dict, compare=False, repr=False)

    def acting_group(self, sent: str, preferred: str = "") -> str:
        """The group in which a caller acts: the one it sent, else the ``preferred`` one, else a chosen one.

        Chosen is the first of DEFAULT_GROUPS that exists, else the only group besides root. Raises GroupNotFound.
        """
        if sent:
            return sent
        if preferred:
            if preferred not in self.groups:
                raise GroupNotFound(self._missing_preferred(preferred))
            return preferred
        others = [name for name in self.groups if name != ROOT]
        chosen = next((name for name in DEFAULT_GROUPS if name in others), others[0] if len(others) == 1 else "")
        if not chosen:
            raise GroupNotFound(self._no_choice())
        return chosen

    def access_for(self, group: str) -> Access:
        """What a group may use. Raises GroupNotFound."""
        known = self._accesses.get(group)
        if known is None:
            if group not in self.groups:
                raise GroupNotFound(self._missing(group))
            known = self._accesses[group] = Access(group, self.groups[ROOT], self.groups[group])
        return known

    def submitter_access(self, group: str, *, means_root: bool = False) -> Access:
        """What a caller in a group may use in a request. Raises GroupNotFound, GroupNotAccepted.

        The group root is accepted only of a caller who says that it is meant.
        """
        if group == ROOT and not means_root:
            raise GroupNotAccepted(
                f"The group {ROOT!r} limits all others and can't submit anything itself: "
                f"send the request as one of {self._shown_groups()}."
            )
        return self.access_for(group)

    def _missing(self, group: str) -> str:
        return self._no_groups() or f"There is no user group {group!r}: use one of {self._shown_groups()}."

    def _missing_preferred(self, group: str) -> str:
        return self._no_groups() or (
            f"No user group was sent, and there is no group {group!r}, the server's default by "
            f"{DEFAULT_GROUP_OPTION}: send one of {self._shown_groups()}, or start the server with one of them."
        )

    def _no_choice(self) -> str:
        return self._no_groups() or (
            f"No user group was sent, and the server has no default: send one of {self._shown_groups()}, or start the "
            f"server with {DEFAULT_GROUP_OPTION} NAME."
        )

    def _no_groups(self) -> str:
        """The sentence for permissions that lack a group because something is wrong with them."""
        if not self.problem:
            return ""
        return (
            f"There are no user groups, because {self.problem}: correct the permissions, then reload them, "
            "or set others."
        )

    def _shown_groups(self) -> str:
        names = sorted(name for name in self.groups if name != ROOT)
        shown = ", ".join(map(repr, names[:_MOST_SHOWN])) or "none, because permissions define none"
        return f"{shown} and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else shown


def no_access(problem: str) -> Permissions:
    """Permissions that allow nothing, because of a problem (a clause without a full stop)."""
    return Permissions({ROOT: GroupRules()}, problem)


_EVERYTHING = GroupRules(
    all_plans=True,
    forbidden_plans=(":^_",),
    all_devices=True,
    forbidden_devices=(":^_:?.*",),
    all_functions=True,
    forbidden_functions=(":^_",),
)
#: In force until others are set or read from a file.
BUILT_IN = Permissions({ROOT: _EVERYTHING, "admin": _EVERYTHING, "primary": _EVERYTHING})


def violations_of(
    groups: Mapping[str, GroupRules], path: str = "permissions.user_groups"
) -> Iterator[Violation | None]:
    """Check permissions entry by entry: a violation for each wrong one, None for each right one.

    It works in steps because each pattern has to be compiled, which takes long if there are many.
    """
    yield from _shape_violations(groups, path)
    for name, rules in groups.items():
        for field_name, read in _READERS.items():
            for index, text in enumerate(getattr(rules, field_name)[:MAX_ENTRIES]):
                try:
                    read(text)
                except PatternError as error:
                    yield Violation(f"{path}[{name}].{field_name}[{index}]", str(error))
                else:
                    yield None


def _shape_violations(groups: Mapping[str, GroupRules], path: str) -> Iterator[Violation]:
    if ROOT not in groups:
        yield Violation(path, f"the group {ROOT!r} is missing: it limits all others, so it must be there")
    if len(groups) > MAX_GROUPS:
        yield Violation(path, f"there are {len(groups)} groups, and at most {MAX_GROUPS} are allowed")
    for name, rules in groups.items():
        problem = names.problem_of(name)
        if problem:
            yield Violation(path, f"{name[: names.MAX_CHARACTERS]!r} {problem}")
        for field_name in _READERS:
            entries: Sequence[str] = getattr(rules, field_name)
            if len(entries) > MAX_ENTRIES:
                description = f"has {len(entries)} entries, and at most {MAX_ENTRIES} are allowed"
                yield Violation(f"{path}[{name}].{field_name}", description)
    texts = [getattr(rules, field_name) for rules in groups.values() for field_name in _READERS]
    length = sum(len(text.encode(errors="replace")) for entries in texts for text in entries)
    if length > MAX_BYTES:
        yield Violation(path, f"names and patterns have {length} bytes altogether, and at most {MAX_BYTES} are allowed")
    total = sum(map(len, texts))
    if total > MAX_ENTRIES_IN_ALL:
        most = MAX_ENTRIES_IN_ALL
        yield Violation(path, f"there are {total} entries in all groups together, and at most {most} are allowed")
