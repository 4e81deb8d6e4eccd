"""What a submitter may use, by the rules of "root" and of the own group."""

from __future__ import annotations

import pytest
from queueserver.common.v1 import permissions_pb2 as pb
from queueserver_inventory.access import Access, GroupRules
from queueserver_inventory.messages import access_message, access_of
from queueserver_inventory.patterns import PatternError, Traits

from tests.unit.common.inventory.device_tree import TREE, nodes

# The example of the documentation of permissions.
ROOT = GroupRules(
    all_plans=True,
    forbidden_plans=(":^_",),
    all_devices=True,
    forbidden_devices=(":^_:?.*",),
    all_functions=True,
    forbidden_functions=(":^_",),
)
PRIMARY = GroupRules(allowed_plans=(":.*",), allowed_devices=(":?.*:depth=5",), allowed_functions=("function_sleep",))
VISITORS = GroupRules(
    allowed_plans=("count", ":_scan$"),
    forbidden_plans=(":^adaptive",),
    allowed_devices=(":^det:?.*",),
    forbidden_devices=("det3", ":^det4$:?.*"),
)
PLANS = ["count", "scan", "rel_scan", "adaptive_scan", "_private"]


def plans(access: Access) -> list[str]:
    return [name for name in PLANS if access.allows_plan(name)]


def devices(access: Access) -> set[str]:
    return {".".join(path) for path, traits in nodes(TREE) if access.allows_device(path, traits)}


def with_root(group: GroupRules) -> Access:
    return Access("somebody", ROOT, group)


def test_a_group_may_use_what_both_root_and_its_own_rules_allow() -> None:
    access = with_root(PRIMARY)

    assert plans(access) == ["count", "scan", "rel_scan", "adaptive_scan"]
    assert access.allows_device("a.b.c.d.e", Traits())
    assert not access.allows_device("a.b.c.d.e.f", Traits())
    assert not access.allows_device("_a.b", Traits())
    assert access.allows_function("function_sleep")
    assert not access.allows_function("_function_sleep")


def test_what_is_forbidden_is_taken_from_what_is_allowed() -> None:
    access = with_root(VISITORS)

    assert plans(access) == ["count", "rel_scan"]
    assert devices(access) == {"det1", "det1.val", "det2"}
    assert access.allows_device("det4x", Traits())
    assert not access.allows_device("det3", Traits())
    assert access.allows_device("det3.val", Traits())
    assert not access.allows_device("det4.val", Traits())
    assert not access.allows_function("function_sleep")


def test_rules_act_on_the_node_and_not_on_what_is_below() -> None:
    whole = {name for name in (".".join(path) for path, _ in nodes(TREE)) if name.startswith("stage.")}

    assert whole <= devices(with_root(GroupRules(all_devices=True, forbidden_devices=(":^stage$",))))
    assert not whole & devices(with_root(GroupRules(all_devices=True, forbidden_devices=(":^stage$:?.*",))))
    assert devices(with_root(GroupRules(allowed_devices=(":.*",)))) == set(TREE)
    assert devices(with_root(GroupRules(allowed_devices=("stage.mtrs.x",)))) == {"stage.mtrs.x"}


def test_a_group_without_rules_may_use_nothing() -> None:
    access = with_root(GroupRules())

    assert plans(access) == []
    assert devices(access) == set()
    assert not access.allows_function("function_sleep")


def test_no_group_can_have_more_than_root() -> None:
    everything = GroupRules(all_plans=True, all_devices=True, all_functions=True)
    access = Access("somebody", GroupRules(allowed_plans=("count",)), everything)

    assert plans(access) == ["count"]
    assert devices(access) == set()


def test_unlimited_access_allows_everything() -> None:
    access = Access.unlimited()

    assert plans(access) == PLANS
    assert access.allows_device(("_a", "b"), Traits())
    assert access.allows_function("_f")


def test_a_path_may_be_a_dotted_name_or_a_sequence() -> None:
    access = with_root(GroupRules(allowed_devices=("stage.det", ":^det1$:val")))

    for path in ("stage.det", "det1.val"):
        assert access.allows_device(path, Traits())
        assert access.allows_device(path.split("."), Traits())


@pytest.mark.parametrize("field", ["allowed_plans", "forbidden_plans", "allowed_devices", "forbidden_functions"])
def test_a_wrong_pattern_makes_no_access(field: str) -> None:
    with pytest.raises(PatternError):
        Access("somebody", ROOT, GroupRules(**{field: (":(",)}))


def test_access_travels_in_a_message_and_back() -> None:
    access = Access("visitors", ROOT, VISITORS)
    message = access_message(access)

    again = access_of(pb.SubmitterAccess.FromString(message.SerializeToString()))

    assert (again.user_group, again.root, again.group) == ("visitors", ROOT, VISITORS)
    assert plans(again) == plans(access)
