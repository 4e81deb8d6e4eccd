"""User and password of Redis beside its address: said once, in a file or a variable, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_rpc.redis_credentials import CredentialsError, with_credentials


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("s p&c:i@l\n", encoding="utf-8")
    return path


def test_an_address_without_credentials_is_left_as_it_is() -> None:
    assert with_credentials("redis://jane:x@h", "", "", None) == "redis://jane:x@h"
    assert with_credentials("h:1", "", "", None) == "h:1"


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("h:1/2", "redis://h:1/2?username=jane&password=s%20p%26c%3Ai%40l"),
        ("rediss://h?db=1", "rediss://h?db=1&username=jane&password=s%20p%26c%3Ai%40l"),
        ("unix:///run/s", "unix:///run/s?username=jane&password=s%20p%26c%3Ai%40l"),
    ],
)
def test_they_become_options_of_the_address(address: str, url: str, file: Path) -> None:
    assert with_credentials(address, "jane", "", file) == url
    assert with_credentials(address, "jane", "s p&c:i@l", None) == url


def test_a_password_may_be_without_a_user() -> None:
    assert with_credentials("h", "", "x", None) == "redis://h?password=x"


@pytest.mark.parametrize("address", ["redis://jane:SECRET@h", "redis://:SECRET@h:1/2", "h?db=1&password=SECRET"])
def test_what_is_said_twice_is_refused_without_being_shown(address: str, file: Path) -> None:
    with pytest.raises(CredentialsError, match="leave it out there") as caught:
        with_credentials(address, "", "SECRET", None)
    assert "SECRET" not in str(caught.value)
    with pytest.raises(CredentialsError, match="is said twice, by QSERVER_REDIS_PASSWORD and by --redis-password-file"):
        with_credentials("h", "", "SECRET", file)


def test_a_user_needs_a_password() -> None:
    with pytest.raises(CredentialsError, match="--redis-username needs a password: give --redis-password-file too"):
        with_credentials("h", "jane", "", None)


@pytest.mark.parametrize("content", [b"", b"\n", b"SECRET\nSECRET\n", b"SECRET" * 1000])
def test_a_file_that_is_not_one_line_is_refused_without_being_shown(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(CredentialsError, match="must hold the password alone, in one line") as caught:
        with_credentials("h", "", "", file)
    assert "SECRET" not in str(caught.value)


def test_a_file_that_can_not_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=f"{tmp_path}/none can't be read: No such file or directory"):
        with_credentials("h", "", "", tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(CredentialsError, match="it is no text in UTF-8"):
        with_credentials("h", "", "", tmp_path / "binary")
