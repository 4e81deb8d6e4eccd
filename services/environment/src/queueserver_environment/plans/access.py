"""What the submitter of a request may use, as the Manager says it is now.

Reading the rules takes longer than checking them, and most requests come from the same few groups: rules read
recently are cached.
"""

from functools import lru_cache
from typing import Any, Final, TypeAlias

from queueserver_inventory.access import Access, GroupRules

from queueserver_environment.messages.items import GroupPermissions, SubmitterAccess

UNLIMITED: Final = Access.unlimited()
"""For requests that come without access."""
_REMEMBERED: Final = 32
_Rules: TypeAlias = tuple[Any, ...]


def read_access(message: SubmitterAccess | None) -> Access:
    """Read what is allowed; everything if there is no message."""
    return UNLIMITED if message is None else _read(message.user_group, _rules(message.root), _rules(message.group))


def _rules(message: GroupPermissions | None) -> _Rules:
    """Give the values of GroupRules, which can be compared quickly."""
    if message is None:
        return ()
    return (
        message.all_plans,
        tuple(message.allowed_plans),
        tuple(message.forbidden_plans),
        message.all_devices,
        tuple(message.allowed_devices),
        tuple(message.forbidden_devices),
        message.all_functions,
        tuple(message.allowed_functions),
        tuple(message.forbidden_functions),
    )


@lru_cache(maxsize=_REMEMBERED)
def _read(user_group: str, root: _Rules, group: _Rules) -> Access:
    return Access(user_group, GroupRules(*root), GroupRules(*group))
