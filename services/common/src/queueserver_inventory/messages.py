"""Rules of user groups as messages of the contract, and back."""

from __future__ import annotations

from queueserver.common.v1 import permissions_pb2 as pb

from queueserver_inventory.access import Access, GroupRules

_LISTS = (
    "allowed_plans",
    "forbidden_plans",
    "allowed_devices",
    "forbidden_devices",
    "allowed_functions",
    "forbidden_functions",
)


def access_of(message: pb.SubmitterAccess) -> Access:
    """What a message allows. Raises PatternError, which does not happen with what a Manager has sent."""
    return Access(message.user_group, rules_of(message.root), rules_of(message.group))


def access_message(access: Access) -> pb.SubmitterAccess:
    """The message that ``access_of`` reads back."""
    return pb.SubmitterAccess(
        user_group=access.user_group, root=rules_message(access.root), group=rules_message(access.group)
    )


def rules_of(message: pb.GroupPermissions) -> GroupRules:
    """Rules of one group. Nothing is checked."""
    return GroupRules(
        all_plans=message.all_plans,
        all_devices=message.all_devices,
        all_functions=message.all_functions,
        **{name: tuple(getattr(message, name)) for name in _LISTS},
    )


def rules_message(rules: GroupRules) -> pb.GroupPermissions:
    """The message that ``rules_of`` reads back."""
    return pb.GroupPermissions(
        all_plans=rules.all_plans,
        all_devices=rules.all_devices,
        all_functions=rules.all_functions,
        **{name: getattr(rules, name) for name in _LISTS},
    )
