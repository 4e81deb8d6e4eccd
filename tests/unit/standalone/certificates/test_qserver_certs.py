"""qserver-certs: what it makes, what it never overwrites, and what it says of what is there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from queueserver_standalone.certificates.authority import from_now
from queueserver_standalone.certificates.command import main

from tests.harness.certificates import Certificates, future, past, with_pass_phrase

Output = pytest.CaptureFixture[str]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "certs"


def shown(directory: Path, capsys: Output) -> dict[str, list[str]]:
    """Problems by the name of the file."""
    capsys.readouterr()
    code = main(["show", str(directory), "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert code == (1 if any(row["problems"] for row in rows) else 0)
    return {Path(row["file"]).name: row["problems"] for row in rows}


def test_it_makes_a_ca_and_certificates_whose_keys_only_their_owner_can_read(directory: Path, capsys: Output) -> None:
    before = os.umask(0)
    try:
        assert main(["create", str(directory), "--worker", "a.example.org,10.0.0.7,::1", "--manager", "b"]) == 0
    finally:
        os.umask(before)
    names = ["ca.pem", "ca-key.pem", "worker.pem", "worker-key.pem", "manager.pem", "manager-key.pem"]
    assert capsys.readouterr().out.splitlines() == [str(directory / name) for name in names]
    assert sorted(names) == sorted(path.name for path in directory.iterdir())
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert {name: 0o600 if "-key" in name else 0o644 for name in names} == modes
    assert directory.stat().st_mode & 0o777 == 0o700


def test_it_shows_them_as_a_table_and_as_json(directory: Path, capsys: Output) -> None:
    main(["create", str(directory), "--worker", "a.example.org,10.0.0.7,::1", "--manager", "b", "--days", "90"])
    capsys.readouterr()
    assert main(["show", str(directory)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["file", "subject", "for", "names", "valid", "from", "valid", "until"]
    assert lines[3][:8] == ["worker.pem", "worker", "on", "a.example.org", "server", "a.example.org", "10.0.0.7", "::1"]
    assert lines[-1] == ["Nothing", "is", "wrong."]
    assert main(["show", str(directory), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["purpose"], row["names"]) for row in rows] == [
        ("CA", []),
        ("client", ["b"]),
        ("server", ["a.example.org", "10.0.0.7", "::1"]),
    ]


def test_nothing_is_overwritten_without_force_and_the_ca_never(directory: Path, capsys: Output) -> None:
    words = ["create", str(directory), "--worker", "a", "--manager", "b"]
    assert main(words) == 0
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert main(words) == 1
    assert capsys.readouterr().err == (
        f"{directory / 'worker.pem'} exists already. Choose another directory, or replace it with --force.\n"
    )
    assert before == {path.name: path.read_bytes() for path in directory.iterdir()}
    assert main(["create", str(directory), "--worker", "a", "--force"]) == 0
    after = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"worker.pem", "worker-key.pem"}
    assert shown(directory, capsys) == {"ca.pem": [], "manager.pem": [], "worker.pem": []}


def test_a_certificate_does_not_outlive_its_ca(directory: Path, capsys: Output) -> None:
    assert main(["create", str(directory), "--worker", "a", "--days", "3650"]) == 0
    assert main(["create", str(directory), "--worker", "a", "--days", "3650", "--force"]) == 0
    capsys.readouterr()
    main(["show", str(directory), "--json"])
    ends = [row["valid_until"] for row in json.loads(capsys.readouterr().out)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "name the machine of the Worker by --worker, or that of the Manager by --manager, or both"),
        (["--worker", "a,,b"], "must be host names and IP addresses with commas between them"),
        (["--worker", "a", "--days", "0"], "must be a whole number of days from 1 to 3650, not 0"),
    ],
)
def test_wrong_usage_is_told_in_one_line(directory: Path, capsys: Output, words: list[str], sentence: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["create", str(directory), *words])
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not directory.exists()


@pytest.mark.parametrize("host", ["a b", "-a", "https://a", "a:60631", "é", "a" * 64, "*"])
def test_what_is_no_host_is_refused_and_nothing_is_written(directory: Path, capsys: Output, host: str) -> None:
    assert main(["create", str(directory), f"--worker={host}"]) == 1
    assert "is neither a host name nor an IP address: give names as in" in capsys.readouterr().err
    assert not directory.exists()


def test_without_the_key_of_the_ca_nothing_is_signed(directory: Path, capsys: Output) -> None:
    main(["create", str(directory), "--worker", "a"])
    (directory / "ca-key.pem").unlink()
    assert main(["create", str(directory), "--manager", "b"]) == 1
    assert f"Can't read the CA's file {directory / 'ca-key.pem'}: no such file or directory. Restore it" in (
        capsys.readouterr().err
    )


def expired(made: Certificates) -> None:
    made.make("worker", period=past())


def not_valid_yet(made: Certificates) -> None:
    made.make("worker", period=future())


def without_key(made: Certificates) -> None:
    made.worker[1].unlink()


def with_a_key_for_all(made: Certificates) -> None:
    made.worker[1].chmod(0o644)


def with_another_key(made: Certificates) -> None:
    made.worker[1].write_bytes(made.manager[1].read_bytes())


def with_an_encrypted_key(made: Certificates) -> None:
    with_pass_phrase(made.worker[1], b"secret")


def with_text_in_it(made: Certificates) -> None:
    made.worker[0].write_text("nothing of the kind", encoding="ascii")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (expired, "expired on 20"),
        (not_valid_yet, "is not valid before 20"),
        (without_key, "its key worker-key.pem is missing: restore it"),
        (with_a_key_for_all, "other users of this machine may access its key: chmod 600 /"),
        (with_another_key, "the key in worker-key.pem does not belong to it"),
        (with_an_encrypted_key, "its key worker-key.pem is no private key in PEM without a pass phrase"),
        (with_text_in_it, "has no certificate in PEM that can be read"),
    ],
)
def test_what_is_wrong_is_shown(
    directory: Path, capsys: Output, spoil: Callable[[Certificates], None], sentence: str
) -> None:
    spoil(made := Certificates(directory))
    problems = shown(made.directory, capsys)
    assert any(sentence in problem for problem in problems["worker.pem"])
    assert (problems["ca.pem"], problems["manager.pem"]) == ([], [])


def test_a_certificate_of_another_ca_and_one_that_ends_soon_are_shown(
    directory: Path, tmp_path: Path, capsys: Output
) -> None:
    Certificates(directory).make("worker", "manager", period=from_now(30))
    other = Certificates(tmp_path / "other")
    other.ca.replace(directory / "ca.pem")
    problems = shown(directory, capsys)
    for name in ("worker.pem", "manager.pem"):
        assert problems[name] == [
            "expires in 29 days: make it anew with qserver-certs create --force",
            "is not signed by the CA in ca.pem: make it anew with qserver-certs create --force",
        ]


def test_a_directory_without_certificates_is_told(tmp_path: Path, capsys: Output) -> None:
    assert main(["show", str(tmp_path)]) == 1
    assert "make some with qserver-certs create" in capsys.readouterr().err
    assert main(["show", str(tmp_path / "none")]) == 1
    assert "Name the one with the certificates" in capsys.readouterr().err
