"""The command line of the Manager."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from queueserver_manager.domain.limits import HISTORY, MIB, Bound, Limits
from queueserver_manager.kept_settings import SIZES, variable_of
from queueserver_manager.operations.files import ReloadPolicy
from queueserver_manager.settings import (
    ADVERTISE_VARIABLE,
    REDIS_VARIABLE,
    Settings,
    advertised_address,
    instance_name,
    list_path,
    parse,
    permission_path,
)
from queueserver_process.log import LogChoice
from queueserver_standalone.configuration import settings as supervisor_settings
from queueserver_standalone.configuration.option_table import OPTIONS

NEEDED = ["--worker", "localhost:1", "--redis", "localhost:2"]


@pytest.fixture(autouse=True)
def no_redis_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REDIS_VARIABLE, raising=False)
    monkeypatch.delenv(ADVERTISE_VARIABLE, raising=False)


def test_what_is_not_said_has_a_default() -> None:
    assert parse(NEEDED) == Settings(
        listen="127.0.0.1:60630",
        redis="localhost:2",
        worker="localhost:1",
        key_prefix="qs",
        instance_id="",
        log=LogChoice(),
        permitted_metadata=("/",),
    )


def test_everything_can_be_said() -> None:
    options = ["--listen", "0.0.0.0:5", "--key-prefix", "p", "--instance-id", "me"]
    options += ["--history-limit", "7", "--log-level", "DEBUG", "--permitted-re-metadata-keys", "/a", "/b/c"]
    assert parse([*NEEDED, *options]) == Settings(
        "0.0.0.0:5",
        "localhost:2",
        "localhost:1",
        "p",
        "me",
        LogChoice("DEBUG"),
        ("/a", "/b/c"),
        limits=Limits(history=Bound(7, HISTORY.size)),
    )


def test_the_group_of_who_sends_none_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSERVER_DEFAULT_USER_GROUP", "staff")
    assert parse(NEEDED).default_group == "staff"
    assert parse([*NEEDED, "--default-user-group", "visitors"]).default_group == "visitors"


@pytest.mark.parametrize("name", ["root", " staff", "a\tb"])
def test_a_default_group_that_can_submit_nothing_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([*NEEDED, "--default-user-group", name])
    assert "--default-user-group: must" in capsys.readouterr().err


def test_the_address_of_redis_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REDIS_VARIABLE, "unix:///from/environment")
    assert parse(["--worker", "w"]).redis == "unix:///from/environment"
    assert parse(NEEDED).redis == "localhost:2"


@pytest.mark.parametrize(
    ("address", "replicas"),
    [("h:1", 0), ("rediss://h", 0), ("redis+sentinel://h/name", 1), ("rediss+cluster://h", 1)],
)
def test_a_change_has_to_be_in_a_replica_if_the_primary_moves(
    address: str, replicas: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--worker", "w", "--redis", address]
    assert parse(options).redis_replicas == replicas
    assert parse([*options, "--redis-replicas", "2"]).redis_replicas == 2
    monkeypatch.setenv("QSERVER_REDIS_REPLICAS", "0")
    assert parse(options).redis_replicas == 0


def test_user_and_password_of_redis_come_from_a_file_or_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    by_file = parse([*NEEDED, "--redis-username", "jane", "--redis-password-file", str(tmp_path / "password")])
    assert by_file.redis == "redis://localhost:2?username=jane&password=secret"
    monkeypatch.setenv("QSERVER_REDIS_USERNAME", "jane")
    monkeypatch.setenv("QSERVER_REDIS_PASSWORD", "secret")
    assert parse(NEEDED).redis == by_file.redis
    with pytest.raises(SystemExit):
        parse(["--worker", "w", "--redis", "redis://:secret@h"])
    said = capsys.readouterr().err
    assert "has a user or a password already" in said
    assert "secret" not in said


@pytest.mark.parametrize("part", SIZES)
def test_each_size_is_an_option_in_megabytes_and_may_come_from_the_environment(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    option = SIZES[part][0]
    for other in SIZES:
        size = getattr(parse([*NEEDED, option, "3"]).limits, other).size
        assert size == (3 * MIB if other == part else getattr(Limits(), other).size)
    monkeypatch.setenv(variable_of(option), "5")
    assert getattr(parse(NEEDED).limits, part).size == 5 * MIB
    assert getattr(parse([*NEEDED, option, "3"]).limits, part).size == 3 * MIB


def test_a_wrong_size_in_the_environment_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QSERVER_QUEUE_SIZE", "much")
    with pytest.raises(SystemExit):
        parse(NEEDED)
    assert "--queue-size: must be a whole number of megabytes, 1 or more, not much" in capsys.readouterr().err


def test_the_supervisor_hands_on_the_sizes_with_the_same_names_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for part, (option, what) in SIZES.items():
        ours = next(one for one in OPTIONS if one.flag == option)
        assert (ours.help, ours.default) == (what, str(getattr(Limits(), part).size // MIB))
    assert supervisor_settings.parse([]).kept == ()
    monkeypatch.setenv("QSERVER_HISTORY_SIZE", "7")
    given = supervisor_settings.parse(["--queue-size", "5"]).kept
    assert given == ("--queue-size", "5", "--history-size", "7")
    assert parse([*NEEDED, *given]).limits.queue.size == 5 * MIB


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--redis", "r"], "--worker"),
        (["--worker", "w"], f"give --redis URL, or set {REDIS_VARIABLE}"),
        ([*NEEDED, "--history-limit", "0"], "must be a whole number, 1 or more, not 0"),
        ([*NEEDED, "--history-limit", "-1"], "must be a whole number, 1 or more, not -1"),
        ([*NEEDED, "--history-limit", "many"], "--history-limit: must be a whole number, 1 or more, not many"),
        ([*NEEDED, "--history-limit", "1e3"], "1 or more, not 1e3"),
        ([*NEEDED, "--history-limit", "1_0"], "1 or more, not 1_0"),
        ([*NEEDED, "--task-result-count", "+1"], "1 or more, not +1"),
        ([*NEEDED, "--history-limit", "9" * 5000], "must be a whole number"),
        ([*NEEDED, "--queue-size", "0"], "--queue-size: must be a whole number of megabytes, 1 or more, not 0"),
        ([*NEEDED, "--history-size", "²"], "--history-size: must be a whole number of megabytes"),
        ([*NEEDED, "--task-result-age", "long"], "must be a number of seconds, 120 or more, not long"),
        ([*NEEDED, "--task-result-age", "nan"], "120 or more, not nan"),
        ([*NEEDED, "--log-level", "LOUD"], "--log-level"),
        ([*NEEDED, "--permitted-re-metadata-keys"], "--permitted-re-metadata-keys"),
        ([*NEEDED, "--user-group-permissions-reload", "SOMETIMES"], "'ON_REQUEST'"),
        *(
            ([*NEEDED, "--advertise-address", wrong], "--advertise-address: must be HOST:PORT as clients can reach it")
            for wrong in (
                "",
                "here",
                "here:",
                "here:0",
                "here:65536",
                "here:²",
                ":5",
                "0.0.0.0:5",
                "[::]:5",
                "::1:5",
                "a b:5",
            )
        ),
        ([*NEEDED, "--unknown"], "--unknown"),
    ],
)
def test_a_wrong_command_line_ends_with_a_complaint(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert " _" not in said


def test_an_instance_is_named_by_its_option_or_by_host_and_port() -> None:
    assert instance_name(parse([*NEEDED, "--instance-id", "me"]), "0.0.0.0:77") == "me"
    assert instance_name(parse(NEEDED), "0.0.0.0:77") == f"{socket.gethostname()}:77"
    assert instance_name(parse(NEEDED), "[::]:77") == f"{socket.gethostname()}:77"


@pytest.mark.parametrize("listening", ["0.0.0.0:77", "[::]:77", "[0:0::0]:77", "*:77", ":77", "ipv4:0.0.0.0:77"])
def test_an_address_that_means_every_interface_is_told_with_the_name_of_the_host(listening: str) -> None:
    assert advertised_address(parse(NEEDED), listening) == f"{socket.gethostname()}:77"
    assert advertised_address(parse([*NEEDED, "--advertise-address", "a.example:5"]), listening) == "a.example:5"


@pytest.mark.parametrize("listening", ["127.0.0.1:77", "[::1]:77", "localhost:77", "beamline.example:77", "unix:/a/b"])
def test_an_address_that_names_a_place_is_told_as_it_is(listening: str) -> None:
    assert advertised_address(parse(NEEDED), listening) == listening


def test_the_advertised_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADVERTISE_VARIABLE, "[fe80::1]:5")
    assert parse(NEEDED).advertise == "[fe80::1]:5"
    assert parse([*NEEDED, "--advertise-address", "a:6"]).advertise == "a:6"
    monkeypatch.setenv(ADVERTISE_VARIABLE, "")
    assert parse(NEEDED).advertise is None


def test_permissions_have_a_file_and_a_time_when_it_is_read() -> None:
    assert parse(NEEDED).permissions is None
    assert parse(NEEDED).permissions_reload is ReloadPolicy.ON_STARTUP
    settings = parse([*NEEDED, "--user-group-permissions", "a/b.yaml", "--user-group-permissions-reload", "NEVER"])
    assert (settings.permissions, settings.permissions_reload) == (Path("a/b.yaml"), ReloadPolicy.NEVER)


def test_the_files_may_be_named_by_their_directory(tmp_path: Path) -> None:
    settings = parse([*NEEDED, "--user-group-permissions", str(tmp_path), "--existing-plans-devices", str(tmp_path)])
    # A list may come later; permissions that are not there mean that none are set.
    assert list_path(settings) == tmp_path / "existing_plans_and_devices.yaml"
    assert permission_path(settings) is None
    (tmp_path / "user_group_permissions.yaml").touch()
    assert permission_path(settings) == tmp_path / "user_group_permissions.yaml"


def test_a_file_that_is_named_is_taken_whether_or_not_it_is_there(tmp_path: Path) -> None:
    gone = tmp_path / "gone.yaml"
    settings = parse([*NEEDED, "--user-group-permissions", str(gone), "--existing-plans-devices", str(gone)])
    assert permission_path(settings) == list_path(settings) == gone
    assert permission_path(parse(NEEDED)) is list_path(parse(NEEDED)) is None


def test_the_internal_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse(NEEDED).internal is None
    monkeypatch.setenv("QSERVER_INTERNAL_ADDRESS", "manager:5")
    assert parse(NEEDED).internal == "manager:5"
    assert parse([*NEEDED, "--internal-address", "a:6"]).internal == "a:6"


def test_an_internal_address_must_be_one_that_a_standby_can_reach(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([*NEEDED, "--internal-address", "0.0.0.0:5"])
    assert "--internal-address: must be HOST:PORT as a standby can reach it" in capsys.readouterr().err
