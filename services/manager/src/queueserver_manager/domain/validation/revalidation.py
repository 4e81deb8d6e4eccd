"""Items that were right when they were added, checked again as plans, devices and permissions are now.

A night shift should not be the first to find out that a plan is gone. A flag is a warning: whether an item is
executed is decided when it is next, as things are then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from queueserver_rpc.message_sizes import EVENT_BYTES

from queueserver_manager.domain.changes import Change, Decision, PutItem
from queueserver_manager.domain.events import ItemsChecked
from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import Refused, Violation
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.validation import check_item

#: Problems kept with one item, and characters of each.
_MOST_PROBLEMS, _LONGEST_FIELD, _LONGEST_DESCRIPTION = 10, 200, 500
_Checked = tuple[str, tuple[Violation, ...]]


def problems_of(item: Item, allowed_for: Callable[[str], AllowedInventory]) -> tuple[Violation, ...]:
    """What is wrong with an item now; empty if it would be accepted.

    ``allowed_for`` answers what a user group may use, and raises a Refused if that group no longer exists.
    """
    try:
        allowed = allowed_for(item.user_group)
        check_item(item.kind, item.name, item.args or (), item.kwargs or {}, allowed, meta=item.meta)
    except Refused as error:
        found = error.violations or (Violation("item.user_group", error.message),)
        return tuple(_shortened(problem) for problem in found[:_MOST_PROBLEMS])
    return ()


def flag_items(record: Record, findings: Sequence[tuple[Item, tuple[Violation, ...]]]) -> Decision[int]:
    """Store the findings about items, unless the items changed meanwhile; returns how many differ."""
    changes: list[Change] = []
    checked: list[_Checked] = []
    for item, problems in findings:
        now = record.queue.get(item.uid)
        if now is not None and _is_same_call(now, item) and now.problems != problems:
            changes.append(PutItem(now.checked(problems), record.queue.rank_of(item.uid)))
            checked.append((item.uid, problems))
    return Decision(len(checked), changes, [ItemsChecked(tuple(part)) for part in _parts(checked)])


def _parts(checked: Sequence[_Checked]) -> list[list[_Checked]]:
    """The findings in parts, one for each event."""
    parts: list[list[_Checked]] = []
    room = 0
    for uid, problems in checked:
        size = len(uid) + sum(len(problem.field) + len(problem.description) for problem in problems)
        if not parts or size > room:
            parts.append([])
            room = EVENT_BYTES
        parts[-1].append((uid, problems))
        room -= size
    return parts


def _shortened(problem: Violation) -> Violation:
    """A problem as it is kept with the item, which it must not make much longer."""
    if len(problem.field) <= _LONGEST_FIELD and len(problem.description) <= _LONGEST_DESCRIPTION:
        return problem
    return Violation(problem.field[:_LONGEST_FIELD], problem.description[:_LONGEST_DESCRIPTION])


def _is_same_call(now: Item, then: Item) -> bool:
    """Whether a finding about an item still applies: the item may have been moved, but not replaced."""
    same_values = now.args is then.args and now.kwargs is then.kwargs and now.meta is then.meta
    return same_values and (now.kind, now.name, now.user_group) == (then.kind, then.name, then.user_group)
