"""Addresses that clients can be told, and those that are none."""

from __future__ import annotations

import pytest
from queueserver_manager import settings as manager
from queueserver_rpc.advertised_address import refusal_of_address
from queueserver_standalone.configuration import settings as standalone
from queueserver_standalone.errors import StandaloneError

NEEDED = ["--worker", "localhost:1", "--redis", "localhost:2"]
WRONG = [
    "here",
    "here:",
    "here:0",
    "here:65536",
    "here:²",
    "here:" + "9" * 5000,
    ":5",
    "*:5",
    "0.0.0.0:60630",
    "[::]:5",
    "[::0]:1",
    "::1:60630",
    "[::1:5",
    "::1]:5",
    "[]:5",
    "[host]:5",
    "[10.0.0.1]:5",
    "ho st:1",
    "host\x00:1",
    "ipv4:10.0.0.1:5",
    "dns:///h:5",
    "unix:/a:5",
    "http://h:5",
]


@pytest.mark.parametrize("text", ["h:1", "beamline.example.org:60630", "10.0.0.1:5", "[::1]:65535", "[fe80::1%eth0]:5"])
def test_a_place_is_an_address_for_manager_and_standalone(text: str) -> None:
    assert refusal_of_address(text) is None
    assert manager.parse([*NEEDED, "--advertise-address", text]).advertise == text
    assert standalone.parse(["--advertise-address", text]).advertise == text


@pytest.mark.parametrize("text", WRONG)
def test_manager_and_standalone_refuse_an_address_with_the_same_sentence(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = f"must be HOST:PORT as clients can reach it, for example beamline.example.org:60630, not {text:.80}"
    with pytest.raises(StandaloneError) as refused:
        standalone.parse(["--advertise-address", text])
    assert str(refused.value) == f"--advertise-address {sentence}."
    with pytest.raises(SystemExit):
        manager.parse([*NEEDED, "--advertise-address", text])
    assert f"--advertise-address: {sentence}. All options: " in capsys.readouterr().err
