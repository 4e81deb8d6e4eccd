"""Options of the 0MQ bridge: on the command line, in the file, as variables; what asks for a bridge; the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_standalone.configuration.settings import parse

_SECRET = "sesame"


def test_there_is_a_bridge_on_this_machine_unless_that_is_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = parse([]).zmq_bridge
    assert (bridge.is_on, bridge.is_asked_for, bridge.publish, bridge.encoding) == (True, False, True, "json")
    assert (bridge.control, bridge.info) == ("tcp://127.0.0.1:60615", "tcp://127.0.0.1:60625")
    assert not parse(["--zmq-bridge", "OFF", "--zmq-control-addr", "ipc:///tmp/x"]).zmq_bridge.is_asked_for
    monkeypatch.setenv("QSERVER_ZMQ_BRIDGE", "off")
    assert not parse([]).zmq_bridge.is_on
    assert parse(["--zmq-bridge", "ON"]).zmq_bridge.is_asked_for


def test_variables_of_an_older_server_mean_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSERVER_ZMQ_CONTROL_ADDRESS_FOR_SERVER", "tcp://127.0.0.1:1")
    monkeypatch.setenv("QSERVER_ZMQ_INFO_ADDRESS_FOR_SERVER", "tcp://127.0.0.1:2")
    monkeypatch.setenv("QSERVER_ZMQ_ENCODING_FOR_SERVER", "msgpack")
    found = parse([])
    assert found.notes == ()
    assert (found.zmq_bridge.control, found.zmq_bridge.info) == ("tcp://127.0.0.1:1", "tcp://127.0.0.1:2")
    assert found.zmq_bridge.encoding == "msgpack"
    assert found.zmq_bridge.is_asked_for


def test_variables_of_clients_on_the_same_machine_mean_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTROL_ADDRESS", "INFO_ADDRESS", "PUBLIC_KEY"):
        monkeypatch.setenv(f"QSERVER_ZMQ_{name}", "tcp://elsewhere:1")
    monkeypatch.setenv("QSERVER_ZMQ_ENCODING", "msgpack")
    found = parse([])
    assert (found.notes, found.zmq_bridge) == ((), parse([]).zmq_bridge)
    assert not found.zmq_bridge.is_asked_for
    assert found.zmq_bridge.encoding == "json"


def test_a_configuration_file_of_an_older_server_means_the_same(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(
        "network:\n  zmq_control_addr: tcp://*:60615\n  zmq_info_addr: tcp://*:60625\n"
        f"  zmq_publish_console: false\n  zmq_encoding: msgpack\n  zmq_private_key: {_SECRET}\n"
    )
    file.chmod(0o600)
    found = parse(["--config", str(file)])
    assert found.notes == ()
    bridge = found.zmq_bridge
    assert bridge.arguments == [
        *("--zmq-control-addr", "tcp://*:60615", "--zmq-info-addr", "tcp://*:60625"),
        *("--zmq-publish-console", "OFF", "--zmq-encoding", "msgpack"),
    ]
    assert bridge.environment == {"QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER": _SECRET}
    assert _SECRET not in repr(found)


@pytest.mark.parametrize("name", ["QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER", "QSERVER_ZMQ_PRIVATE_KEY"])
def test_a_key_is_taken_from_the_environment_and_is_never_an_argument(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, _SECRET)
    bridge = parse([]).zmq_bridge
    assert (bridge.private_key, bridge.is_asked_for) == (_SECRET, True)
    assert _SECRET not in str(bridge.arguments)
    with pytest.raises(SystemExit):
        parse(["--zmq-private-key", _SECRET])
