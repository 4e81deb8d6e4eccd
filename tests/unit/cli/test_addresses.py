"""Where the server is: right forms, those of the tools for 0MQ, and what is not an address."""

from __future__ import annotations

from typing import Any

import pytest
from queueserver_cli.address import CONTROL, OUTPUT, server_address, tell_forgotten
from queueserver_cli.outcome import WrongCommand
from queueserver_client.connection.channel import whole_address, whole_addresses

NOTHING: dict[str, Any] = {"address": None, "zmq_control_addr": None, "zmq_encoding": None}


@pytest.mark.parametrize(
    ("options", "variables", "address", "note"),
    [
        ({}, {}, None, None),
        ({"address": "host:1"}, {"QSERVER_ADDRESS": "other"}, "host:1", None),
        ({}, {"QSERVER_ADDRESS": "host", "QUEUESERVER_ADDRESS": "other"}, "host", None),
        ({}, {"QUEUESERVER_ADDRESS": "host"}, "host", None),
        ({}, {"QSERVER_ADDRESS": "host", "QSERVER_ZMQ_CONTROL_ADDRESS": "tcp://other:60615"}, "host", None),
        ({"address": "tcp://host:60615"}, {}, "host:60630", "Say: --address host:60630"),
        ({"address": "tcp://host"}, {}, "host:60630", "Say: --address host:60630"),
        ({"address": "tcp://[::1]:5"}, {}, "[::1]:5", "Say: --address [::1]:5"),
        ({"zmq_control_addr": "tcp://host:60615"}, {}, "host:60630", "--zmq-control-addr is called --address here."),
        ({}, {"QSERVER_ADDRESS": "tcp://host:60615"}, "host:60630", "Say: QSERVER_ADDRESS=host:60630"),
        (
            {},
            {"QSERVER_ZMQ_CONTROL_ADDRESS": "tcp://host:60615"},
            "host:60630",
            "QSERVER_ZMQ_CONTROL_ADDRESS is called QSERVER_ADDRESS here. Say: QSERVER_ADDRESS=host:60630",
        ),
    ],
)
def test_an_address_comes_from_the_option_or_a_variable(
    options: dict[str, str], variables: dict[str, str], address: str | None, note: str | None
) -> None:
    notes: list[str] = []
    assert server_address(NOTHING | options, CONTROL, variables, notes.append) == address
    assert len(notes) == (note is not None)
    assert (note or "") in "".join(notes)


@pytest.mark.parametrize("name", ["zmq_info_addr", "zmq_subscribe_addr"])
def test_the_address_of_the_output_is_that_of_the_server(name: str) -> None:
    notes: list[str] = []
    options = {"address": None, "zmq_info_addr": None, "zmq_subscribe_addr": None, name: "tcp://host:60625"}
    assert server_address(options, OUTPUT, {}, notes.append) == "host:60630"
    variables = {"QSERVER_ZMQ_INFO_ADDRESS": "tcp://host:60625"}
    assert server_address(options | {name: None}, OUTPUT, variables, notes.append) == "host:60630"
    assert [note.partition(" here. ")[2] for note in notes] == [
        "Say: --address host:60630",
        "Say: QSERVER_ADDRESS=host:60630",
    ]


@pytest.mark.parametrize("address", ["tcp://*:60615", "http://host:60630", "ipc:///tmp/socket", "tcp://host:port"])
def test_a_scheme_that_can_t_be_meant_is_refused_with_the_right_form(address: str) -> None:
    with pytest.raises(WrongCommand, match=r"HOST:PORT, as in QSERVER_ADDRESS=localhost:60630"):
        server_address(NOTHING, CONTROL, {"QSERVER_ZMQ_CONTROL_ADDRESS": address}, lambda _: None)


def test_what_has_no_meaning_here_is_named() -> None:
    notes: list[str] = []
    variables = {"QSERVER_ZMQ_ENCODING": "json", "QSERVER_ZMQ_PUBLIC_KEY": "secret"}
    tell_forgotten(NOTHING | {"zmq_encoding": "msgpack"}, variables, notes.append)
    assert [note.split()[1] for note in notes] == ["--zmq-encoding", "QSERVER_ZMQ_ENCODING", "QSERVER_ZMQ_PUBLIC_KEY"]
    assert "secret" not in "".join(notes)


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ("host", "host:60630"),
        ("host:5", "host:5"),
        ("::1", "[::1]:60630"),
        ("[::1]", "[::1]:60630"),
        ("[fe80::1%eth0]:5", "[fe80::1%eth0]:5"),
        ("unix:/tmp/socket", "unix:/tmp/socket"),
        ("dns:///host:5", "dns:///host:5"),
    ],
)
def test_the_client_completes_an_address(given: str, whole: str) -> None:
    assert whole_address(given) == whole


def test_the_client_takes_the_addresses_of_owner_and_standby() -> None:
    assert whole_addresses("a, b:5,unix:/run/c") == ["a:60630", "b:5", "unix:/run/c"]
    with pytest.raises(ValueError, match="say HOST:PORT"):
        whole_addresses("a,,b")


@pytest.mark.parametrize(
    "given", ["host:port", "host:0", "host:65536", "tcp://host:1", "http://host", "*", "a b", ":5"]
)
def test_the_client_refuses_what_is_no_address(given: str) -> None:
    with pytest.raises(ValueError, match="say HOST:PORT, as in localhost:60630"):
        whole_address(given)


@pytest.mark.parametrize(("given", "meant"), [("61333", "localhost:61333"), ("0:61333", "localhost:61333")])
def test_a_number_is_no_name_of_a_host(given: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"'{given}' names no host: say HOST:PORT, as in {meant}"):
        whole_address(given)
