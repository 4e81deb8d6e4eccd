"""The file of permissions: what is read from it, and what is said of one that is wrong."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_inventory.access import GroupRules
from queueserver_manager.domain.permissions.permission_document import read_document
from queueserver_manager.domain.permissions.permission_errors import FileInvalid
from queueserver_manager.operations.files import Files
from queueserver_manager.store.files.permission_file import MAX_BYTES, PermissionFile

from tests.harness.services import DEMO_STARTUP, REPOSITORY
from tests.unit.manager.samples import relaxed

EXAMPLE = """
user_groups:
  root:
    allowed_plans: [null]
    forbidden_plans: [":^_"]
    allowed_devices: [null]
    forbidden_devices: [":^_:?.*"]
    allowed_functions: [null, ignored]
    forbidden_functions: [null, ":^_"]
  primary:
    allowed_plans: [":.*"]
    allowed_devices: [":?.*:depth=5"]
    allowed_functions: ["function_sleep"]
  visitors:
    allowed_plans: ["count", ":_scan$"]
    forbidden_plans: [":^adaptive"]
    forbidden_devices: []
    allowed_functions:
  guests:
"""


def written(directory: Path, content: str | bytes) -> PermissionFile:
    path = directory / "user_group_permissions.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return PermissionFile(path)


def test_names_of_groups_are_unicode_and_kept_composed(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Gäste")
    assert set(written(tmp_path, f"user_groups:\n  root:\n  {decomposed}:\n").read()) == {"root", "Gäste"}
    with pytest.raises(FileInvalid, match="written in two ways that look the same"):
        written(tmp_path, f"user_groups:\n  root:\n  {decomposed}:\n  Gäste:\n").read()


def test_null_in_first_place_means_everything_or_nothing_forbidden(tmp_path: Path) -> None:
    assert written(tmp_path, EXAMPLE).read() == {
        "root": GroupRules(
            all_plans=True,
            forbidden_plans=(":^_",),
            all_devices=True,
            forbidden_devices=(":^_:?.*",),
            all_functions=True,
        ),
        "primary": GroupRules(
            allowed_plans=(":.*",), allowed_devices=(":?.*:depth=5",), allowed_functions=("function_sleep",)
        ),
        "visitors": GroupRules(allowed_plans=("count", ":_scan$"), forbidden_plans=(":^adaptive",)),
        "guests": GroupRules(),
    }


def test_aliases_and_merged_mappings_stand_for_what_they_name(tmp_path: Path) -> None:
    content = """
    user_groups:
      root: &all {allowed_plans: &every [null], allowed_functions: *every}
      users: {<<: *all, forbidden_plans: ["x"]}
    """

    everything = GroupRules(all_plans=True, all_functions=True)
    assert written(tmp_path, content).read() == {
        "root": everything,
        "users": replace(everything, forbidden_plans=("x",)),
    }


@pytest.mark.parametrize("word", ["yes", "1", "2026-01-01", "1.5", "=", "0x1f", "1:30"])
def test_what_yaml_takes_for_something_else_than_text_is_told_as_it_is_written(tmp_path: Path, word: str) -> None:
    with pytest.raises(FileInvalid, match=rf"allowed_plans\[0\]: {re.escape(word)} is not text: put it into quotes"):
        written(tmp_path, f"user_groups: {{root: {{allowed_plans: [{word}]}}}}").read()


async def test_the_demo_file_is_right() -> None:
    permissions = await Files(PermissionFile(DEMO_STARTUP / "user_group_permissions.yaml")).reload_permissions()

    assert {"root", "admin", "primary", "test_user"} <= set(permissions.groups)


@pytest.mark.parametrize(
    ("document", "field", "description"),
    [
        (None, "user_groups", "required"),
        ([], "user_groups", "required"),
        ({}, "user_groups", "required"),
        ({"user_groups": []}, "user_groups", "required"),
        ({"user_groups": {}, "groups": {}}, "groups", "unknown"),
        ({"user_groups": {1: {}}}, "user_groups[1]", "must be text"),
        ({"user_groups": {"a": []}}, "user_groups[a]", "must be a mapping"),
        ({"user_groups": {"a": {"plans": []}}}, "user_groups[a].plans", "there are allowed_plans"),
        ({"user_groups": {"a": {"allowed_plans": "x"}}}, "user_groups[a].allowed_plans", "must be a list"),
        ({"user_groups": {"a": {"allowed_plans": [1]}}}, "user_groups[a].allowed_plans[0]", "is not text"),
        (
            {"user_groups": {"a": {"allowed_plans": ["x", None]}}},
            "user_groups[a].allowed_plans[1]",
            "in the first place",
        ),
    ],
)
def test_a_wrong_form_is_told_with_its_place(document: object, field: str, description: str) -> None:
    _, (violation,) = read_document(document)

    assert violation.field == field
    assert description in violation.description


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["user_groups", "root"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["user_groups", "root", "allowed_plans", "forbidden_devices"]) | st.integers(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@relaxed
@given(DOCUMENTS)
def test_any_document_is_read_or_has_violations(document: object) -> None:
    groups, violations = read_document(document)

    assert violations or set(groups) == set(document["user_groups"])  # type: ignore[call-overload,index] # it has them


def bomb(first: str, then: str, times: int = 40) -> str:
    """A short text of which each line stands for several of the line before."""
    lines = [f"a0: &a0 {first}"] + [f"a{n}: &a{n} {then.format(f'*a{n - 1}')}" for n in range(1, times)]
    return "\n".join([*lines, f"user_groups: {{root: {{allowed_plans: [*a{times - 1}]}}}}"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    {
        "user_groups: [": "is not YAML",
        "user_groups: !!python/object:os.system {}": "is not YAML",
        "\x00": "is not YAML",
        b"\xff\xfe\xff": "is not YAML",
        "[" * 5000: "is nested too deeply",
        "user_groups: {a: {b: []}}": r"is wrong \(user_groups\[a\].b: unknown",
        "2026-99-99": "user_groups: required",
        "user_groups: {a: {allowed_plans: [!!int x, !!bool maybe, !!timestamp x]}}": "x is not text",
        "user_groups: {a: {allowed_plans: [!!int []]}}": "is not YAML",
        "user_groups: {a: {allowed_plans: [!!set {x}]}}": "is not YAML",
        "user_groups: {[a]: {}}": "is not YAML",
        "user_groups: {a: {allowed_plans: [1" + ":59" * 100_000 + "]}}": "is not text",
        "- " * 5000: "is nested too deeply",
        "".join(f"{' ' * level}a:\n" for level in range(1000)): "is nested too deeply",
        "{a: " * 5000: "is nested too deeply",
        "x: &x [*x]": "has an alias in what it stands for",
        "x: &x {<<: *x}": "has an alias in what it stands for",
        bomb("[x, x]", "[{0}, {0}, {0}, {0}]"): "when its aliases are written out",
        bomb("{x: 1}", "{{<<: [{0}, {0}, {0}, {0}]}}"): "when its aliases are written out",
        bomb(f"[{'x' * 100_000}]", "[{0}, {0}]", times=10): "when its aliases are written out",
        bomb("[x]", "[{0}]", times=60): "is nested too deeply",
        "[" + "x," * 50_001 + "]": "has more than 50000 values",
        "# nothing\n": "user_groups: required",
    }.items(),
    ids=lambda text: repr(text[:30]),
)
def test_a_broken_file_is_refused_in_one_sentence(tmp_path: Path, content: str | bytes, complaint: str) -> None:
    with pytest.raises(FileInvalid, match=complaint) as refusal:
        written(tmp_path, content).read()

    assert refusal.value.message.endswith(": correct it, then reload it.")
    assert "\n" not in refusal.value.message


def test_a_file_that_is_not_there_or_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid, match=r"none\.yaml is not there: put it back, then reload it"):
        PermissionFile(tmp_path / "none.yaml").read()
    with pytest.raises(FileInvalid, match="can't be read"):
        PermissionFile(tmp_path).read()
    with pytest.raises(FileInvalid, match="more than"):
        written(tmp_path, "#" * (MAX_BYTES + 1)).read()


async def test_a_wrong_pattern_makes_the_file_wrong(tmp_path: Path) -> None:
    file = written(tmp_path, "user_groups: {root: {allowed_plans: [':(']}}")
    with pytest.raises(FileInvalid, match="is wrong") as refusal:
        await Files(file).reload_permissions()

    assert [one.field for one in refusal.value.violations] == ["user_groups[root].allowed_plans[0]"]


async def test_without_a_file_a_manager_begins_with_what_is_built_in() -> None:
    first = await Files().first_permissions()

    assert first.fresh is None
    assert set(first.default.groups) == {"root", "admin", "primary"}


async def test_a_broken_file_allows_nothing_to_anybody(tmp_path: Path) -> None:
    first = await Files(written(tmp_path, "user_groups: 5")).first_permissions()

    assert first.fresh is None
    assert set(first.default.groups) == {"root"}
    assert not first.default.access_for("root").allows_plan("count")
    assert "user_group_permissions.yaml is wrong" in first.default.problem


async def test_a_good_file_is_in_force_before_it_is_stored(tmp_path: Path) -> None:
    first = await Files(written(tmp_path, EXAMPLE)).first_permissions()

    assert first.fresh is first.default
    assert first.default.access_for("visitors").allows_plan("rel_scan")


async def test_the_file_in_the_documentation_is_right(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "how-to" / "permissions.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    permissions = await Files(written(tmp_path, example)).reload_permissions()

    visitors = permissions.access_for("visitors")
    assert [visitors.allows_plan(name) for name in ("count", "rel_scan", "scan", "adaptive_scan")] == [
        *(True, True),
        *(False, False),
    ]
