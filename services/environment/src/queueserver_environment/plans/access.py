"""What the submitter of a request may use, as the Manager says it is now.

Reading the rules takes longer than checking them, and most requests come from the same few groups: rules read
recently are cached.
"""

from functools import lru_cache
from typing import Final

from queueserver_inventory.access import Access, GroupRules

from queueserver_environment.messages.items import GroupPermissions, SubmitterAccess

UNLIMITED: Final = Access.unlimited()
"""For requests that come without access."""
_REMEMBERED: Final = 32


def read_access(message: SubmitterAccess | None) -> Access:
    """Read what is allowed; everything if there is no message."""
    return UNLIMITED if message is None else _read(message.user_group, _rules(message.root), _rules(message.group))


def _rules(message: GroupPermissions | None) -> GroupRules:
    if message is None:
        return GroupRules()
    return GroupRules(
        all_plans=message.all_plans,
        allowed_plans=tuple(message.allowed_plans),
        forbidden_plans=tuple(message.forbidden_plans),
        all_devices=message.all_devices,
        allowed_devices=tuple(message.allowed_devices),
        forbidden_devices=tuple(message.forbidden_devices),
        all_functions=message.all_functions,
        allowed_functions=tuple(message.allowed_functions),
        forbidden_functions=tuple(message.forbidden_functions),
    )


@lru_cache(maxsize=_REMEMBERED)
def _read(user_group: str, root: GroupRules, group: GroupRules) -> Access:
    return Access(user_group, root, group)
