"""Which addresses are free, which have to be asked for, and what is said of those that can't be listened on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from queueserver_rpc import unix_socket
from queueserver_rpc.listening import (
    ListenError,
    check_free,
    insecure_by_environment,
    is_address,
    reaches_beyond_this_machine,
    refuse_unasked,
)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1:1", "127.255.255.254:0", "localhost:1", "LOCALHOST:1", "[::1]:1", "[::ffff:127.0.0.1]:1"),
        *("ipv4:127.0.0.1:1", "ipv6:[::1]:1", "dns:localhost:1", "dns:///127.0.0.1:1", "unix:/run/x", "unix:///run/x"),
    ],
)
def test_loopback_and_unix_sockets_are_free(address: str) -> None:
    assert not reaches_beyond_this_machine(address)
    refuse_unasked(address, insecure=False)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0:1", "[::]:1", "*:1", ":1", "0:1", "10.0.0.7:1", "[fe80::1]:1", "[::ffff:10.0.0.7]:1"),
        *("beamline.example.org:1", "localhost.example.org:1", "127.0.0.1.example.org:1", "128.0.0.1:1", "127.1:1"),
        *("ipv4:127.0.0.1:1,0.0.0.0:1", "ipv4:0.0.0.0:1,127.0.0.1:1", "dns://10.0.0.7/127.0.0.1:1", "ipv6:[::]:1"),
    ],
)
def test_any_other_address_has_to_be_asked_for(address: str) -> None:
    with pytest.raises(ListenError, match=r"could run any code on this machine.*--insecure-listen"):
        refuse_unasked(address, insecure=False)
    refuse_unasked(address, insecure=True)


@pytest.mark.parametrize("host", ["locahost", "Localhosts", "lcoalhost"])
def test_a_misspelt_localhost_is_told(host: str) -> None:
    with pytest.raises(ListenError, match=f"{host}:1: did you mean localhost[?] Anyone who reaches it could run any"):
        refuse_unasked(f"{host}:1", insecure=False)


@pytest.mark.parametrize(("word", "meaning"), [("1", True), ("Yes", True), ("0", False), ("", False), ("off", False)])
def test_the_environment_allows_it_too(word: str, meaning: bool) -> None:
    assert insecure_by_environment({"QSERVER_INSECURE_LISTEN": word}) is meaning


def test_a_word_in_the_environment_that_means_neither_is_refused() -> None:
    with pytest.raises(ValueError, match="QSERVER_INSECURE_LISTEN must be 1 or 0, not ture"):
        insecure_by_environment({"QSERVER_INSECURE_LISTEN": "ture"})


@pytest.mark.parametrize("text", ["127.0.0.1:60630", "[::1]:0", "localhost:65535", "unix:/run/x"])
def test_host_with_port_and_the_path_of_a_socket_are_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", ["60630", ":60630", "host:", "host:65536", "host:²", "host:-1", "unix:", ""])
def test_anything_else_is_none(text: str) -> None:
    assert not is_address(text)


def test_a_port_that_is_taken_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(ListenError, match=f"{host}:{port}: another program listens there"):
                check_free(f"{host}:{port}")
    check_free(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("no-such-host.invalid:1", "the host no-such-host.invalid is unknown"),
        ("192.0.2.1:0", "192.0.2.1 is not an address of this machine"),
    ],
)
def test_a_host_that_is_not_this_machine_is_told_with_one_that_is(address: str, sentence: str) -> None:
    with pytest.raises(ListenError, match=f"{sentence}.*for example 127.0.0.1"):
        check_free(address)


def test_a_unix_socket_is_its_owners_alone_and_is_not_taken_from_who_listens_on_it(short_path: Path) -> None:
    address = f"unix:{short_path / 'socket'}"
    with socket.socket(socket.AF_UNIX) as server:
        with unix_socket.place_for(address):
            server.bind(str(short_path / "socket"))
        server.listen()
        assert (short_path / "socket").stat().st_mode & 0o777 == 0o600
        with pytest.raises(ListenError, match="another service is using it"), unix_socket.place_for(address):
            pass
    with unix_socket.place_for(address):
        assert not (short_path / "socket").exists()


def test_what_is_no_socket_is_not_removed_to_make_room_for_one(short_path: Path) -> None:
    (short_path / "notes").write_text("keep me", encoding="utf-8")
    address = f"unix:{short_path / 'notes'}"
    with pytest.raises(ListenError, match="something else of that name"), unix_socket.place_for(address):
        pass
    assert (short_path / "notes").read_text(encoding="utf-8") == "keep me"
