"""Which files start-re-manager passes to the Manager."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_standalone.configuration.settings import parse
from queueserver_standalone.errors import StandaloneError

NAME = "user_group_permissions.yaml"


def arguments(*words: str | Path) -> dict[str, str]:
    """The Manager's options about files, each with its value."""
    given = parse([str(word) for word in words]).files.arguments
    return dict(zip(given[::2], given[1::2], strict=True))


def test_files_of_the_startup_directory_are_passed_on_and_looked_for_at_each_start(tmp_path: Path) -> None:
    files = parse(["--startup-dir", str(tmp_path)]).files
    expected = ["--user-group-permissions-reload", "ON_STARTUP"]
    lists = ["--existing-plans-devices", str(tmp_path / "existing_plans_and_devices.yaml")]
    assert files.arguments == [*expected, *lists]

    (tmp_path / NAME).write_text("")
    assert files.arguments == [*expected, "--user-group-permissions", str(tmp_path / NAME), *lists]


def test_other_files_may_be_named_or_their_directories(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.yml", tmp_path / "other"
    other.mkdir()
    for path in (mine, other / NAME):
        path.write_text("")
    (tmp_path / "startup.py").write_text("")
    script = ("--startup-script", tmp_path / "startup.py")

    found = arguments(*script, "--user-group-permissions", mine, "--existing-plans-devices", other)
    assert found["--user-group-permissions"] == str(mine)
    assert found["--existing-plans-devices"] == str(other / "existing_plans_and_devices.yaml")
    assert arguments(*script, "--user-group-permissions", other)["--user-group-permissions"] == str(other / NAME)
    assert set(arguments(*script)) == {"--user-group-permissions-reload"}


def test_a_named_file_of_permissions_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StandaloneError, match=r"There is no file .*nowhere\.yaml\. Give --user-group-permissions"):
        parse(["--startup-dir", str(tmp_path), "--user-group-permissions", str(tmp_path / "nowhere.yaml")])


@pytest.mark.parametrize("name", ["nowhere", "nowhere/lists.yaml"])
def test_a_directory_for_the_list_must_be_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        StandaloneError, match=r"There is no directory .*/nowhere\. Create it, or give --existing-plans-"
    ):
        parse(["--startup-dir", str(tmp_path), "--existing-plans-devices", str(tmp_path / name)])


@pytest.mark.parametrize("policy", ["NEVER", "ON_REQUEST", "ON_STARTUP"])
def test_the_policy_is_passed_on(policy: str) -> None:
    assert arguments("--user-group-permissions-reload", policy)["--user-group-permissions-reload"] == policy
