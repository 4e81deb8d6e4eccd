"""Groups: who there is, what they may use, and which permissions are refused."""

from __future__ import annotations

import pytest
from queueserver_inventory.access import GroupRules
from queueserver_manager.domain.permissions.permission_errors import GroupNotAccepted, GroupNotFound, PermissionsInvalid
from queueserver_manager.domain.permissions.permissions import (
    BUILT_IN,
    MAX_BYTES,
    MAX_ENTRIES,
    MAX_GROUPS,
    Permissions,
    no_access,
    violations_of,
)

ROOT = BUILT_IN.groups["root"]


def wrong(groups: dict[str, GroupRules], path: str = "permissions.user_groups") -> dict[str, str]:
    return {one.field: one.description for one in violations_of(groups, path) if one is not None}


def test_the_built_in_permissions_are_right_and_hide_only_what_begins_with_an_underscore() -> None:
    assert wrong(dict(BUILT_IN.groups)) == {}
    for group in ("admin", "primary"):
        access = BUILT_IN.submitter_access(group)
        assert access.allows_plan("count")
        assert not access.allows_plan("_count")
        assert access.allows_function("function_sleep")
        assert not access.allows_function("_sleep")


def test_access_of_a_group_is_worked_out_once() -> None:
    permissions = Permissions({"root": ROOT, "visitors": GroupRules(allowed_plans=("count",))})

    assert permissions.access_for("visitors") is permissions.access_for("visitors")
    assert permissions.access_for("visitors").allows_plan("count")
    assert not permissions.access_for("visitors").allows_plan("scan")
    assert permissions.access_for("root").allows_plan("scan")


def test_an_unknown_group_is_told_which_there_are() -> None:
    with pytest.raises(GroupNotFound) as refusal:
        BUILT_IN.submitter_access("nobody")

    assert refusal.value.message == "There is no user group 'nobody': use one of 'admin', 'primary'."


def test_very_many_groups_are_not_all_named() -> None:
    groups = {"root": ROOT} | {f"group{number:02}": GroupRules() for number in range(30)}
    with pytest.raises(GroupNotFound, match=r"'group19' and 10 more\."):
        Permissions(groups).access_for("other")


def test_root_submits_nothing_but_its_lists_can_be_looked_at() -> None:
    with pytest.raises(GroupNotAccepted, match="as one of 'admin', 'primary'"):
        BUILT_IN.submitter_access("root")

    assert BUILT_IN.access_for("root").allows_plan("count")


def test_root_submits_for_a_caller_who_says_that_it_is_meant() -> None:
    assert BUILT_IN.submitter_access("root", means_root=True).allows_plan("count")


@pytest.mark.parametrize(
    ("groups", "chosen"),
    [
        (("primary", "admin", "staff"), "admin"),
        (("primary", "staff"), "primary"),
        (("staff",), "staff"),
    ],
)
def test_who_sends_no_group_acts_in_admin_else_in_primary_else_in_the_only_one(
    groups: tuple[str, ...], chosen: str
) -> None:
    permissions = Permissions({"root": ROOT} | {name: GroupRules() for name in groups})

    assert permissions.acting_group("") == chosen
    assert permissions.acting_group("visitors") == "visitors"
    assert permissions.acting_group("", preferred=groups[-1]) == groups[-1]
    assert permissions.acting_group("visitors", preferred=groups[-1]) == "visitors"


def test_without_a_group_to_choose_the_refusal_names_the_groups_and_the_option() -> None:
    permissions = Permissions({"root": ROOT, "staff": GroupRules(), "visitors": GroupRules()})

    with pytest.raises(GroupNotFound) as refusal:
        permissions.acting_group("")
    assert refusal.value.message == (
        "No user group was sent, and the server has no default: send one of 'staff', 'visitors', or start the server "
        "with --default-user-group NAME."
    )
    with pytest.raises(GroupNotFound, match="no default: send one of none, because permissions define none"):
        Permissions({"root": ROOT}).acting_group("")


def test_a_default_group_that_is_not_there_is_never_replaced_by_another_one() -> None:
    with pytest.raises(GroupNotFound, match=r"no group 'visitors', .* send one of 'admin', 'primary', or start"):
        BUILT_IN.acting_group("", preferred="visitors")


def test_with_a_problem_nobody_is_in_a_group_and_the_problem_is_told() -> None:
    permissions = no_access("the file x.yaml can't be read (no such file)")

    for group in ("admin", "primary", "visitors"):
        with pytest.raises(GroupNotFound, match=r"because the file x\.yaml can't be read .*: correct the permissions"):
            permissions.submitter_access(group)
    with pytest.raises(GroupNotFound, match=r"because the file x\.yaml"):
        permissions.acting_group("")
    assert not permissions.access_for("root").allows_plan("count")


def test_every_wrong_entry_is_named_with_its_place() -> None:
    found = wrong(
        {
            "root": ROOT,
            "visitors": GroupRules(
                allowed_plans=("count", ":ok", ":("),
                forbidden_devices=("det1.val", "1st"),
                allowed_functions=("a.b",),
            ),
            "staff": GroupRules(forbidden_plans=("",), allowed_devices=("__PLURALS__:x",)),
        }
    )

    assert set(found) == {
        "permissions.user_groups[visitors].allowed_plans[2]",
        "permissions.user_groups[visitors].forbidden_devices[1]",
        "permissions.user_groups[visitors].allowed_functions[0]",
        "permissions.user_groups[staff].forbidden_plans[0]",
        "permissions.user_groups[staff].allowed_devices[0]",
    }
    assert "unterminated" in found["permissions.user_groups[visitors].allowed_plans[2]"]


def test_root_must_be_there_and_names_of_groups_must_be_readable() -> None:
    assert "'root' is missing" in wrong({"visitors": GroupRules()})["permissions.user_groups"]
    for name, problem in (("", "must not be empty"), ("a\nb", "leave out U+000A"), ("x" * 101, "at most 100")):
        assert problem in wrong({"root": ROOT, name: GroupRules()})["permissions.user_groups"]


def test_permissions_are_bounded() -> None:
    many = {f"g{number}": GroupRules() for number in range(MAX_GROUPS)}
    assert f"at most {MAX_GROUPS} are allowed" in wrong({"root": ROOT, **many})["permissions.user_groups"]

    long = GroupRules(allowed_plans=tuple(f"plan{number}" for number in range(MAX_ENTRIES + 1)))
    found = wrong({"root": ROOT, "visitors": long})
    assert f"at most {MAX_ENTRIES} are allowed" in found["permissions.user_groups[visitors].allowed_plans"]

    full = GroupRules(allowed_plans=("count",) * MAX_ENTRIES)
    groups = {"root": ROOT} | {f"g{number}": full for number in range(21)}
    assert "in all groups together" in wrong(groups)["permissions.user_groups"]

    heavy = GroupRules(allowed_plans=("µ" * 1000,) * MAX_ENTRIES)
    assert (
        f"at most {MAX_BYTES} are allowed" in wrong({"root": ROOT, "a": heavy, "b": heavy})["permissions.user_groups"]
    )


def test_the_message_names_the_first_violation_and_how_many_more_there_are() -> None:
    violations = [one for one in violations_of({"a": GroupRules(allowed_plans=(":(",))}) if one is not None]

    message = PermissionsInvalid(violations).message

    assert message.startswith("The permissions are wrong and nothing was changed: permissions.user_groups: the group")
    assert message.endswith(", and 1 more.")
