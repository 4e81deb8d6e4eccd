"""Where the sockets of the bridge may be: elsewhere than on this machine only with a key, or when that was said."""

from __future__ import annotations

import pytest
from queueserver_zmq_bridge.settings import parse
from queueserver_zmq_bridge.sockets.binding import BindError


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER", "QSERVER_ZMQ_PRIVATE_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "address",
    [
        *("tcp://127.0.0.1:60615", "tcp://127.1.2.3:1", "tcp://localhost:60615", "tcp://[::1]:60615"),
        *("ipc:///run/queueserver", "nonsense"),
    ],
)
def test_this_machine_needs_no_key(address: str) -> None:
    parse(["--zmq-control-addr", address]).refuse_unasked()
    assert parse(["--zmq-control-addr", address]).warnings == []


@pytest.mark.parametrize(
    "address", ["tcp://*:60615", "tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://eth0:1", "tcp://10.0.0.1:1", "tcp://host:1"]
)
def test_others_need_a_key_or_a_word(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for option in ("--zmq-control-addr", "--zmq-info-addr"):
        with pytest.raises(BindError, match=rf"{option} .*QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER.*--insecure-listen"):
            parse([option, address]).refuse_unasked()
        insecure = parse([option, address, "--insecure-listen"])
        insecure.refuse_unasked()
        assert [address in warning for warning in insecure.warnings] == [True]
    parse(["--zmq-info-addr", address, "--zmq-publish-console", "OFF"]).refuse_unasked()
    monkeypatch.setenv("QSERVER_ZMQ_PRIVATE_KEY", "sesame")
    found = parse(["--zmq-control-addr", address, "--zmq-info-addr", address])
    found.refuse_unasked()
    (warning,) = found.warnings
    assert "never encrypted" in warning
    assert "sesame" not in repr(found)
