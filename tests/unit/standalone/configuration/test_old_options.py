"""Options of bluesky-queueserver: each is accepted, with a warning, or refused with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_standalone.configuration.choices import variables
from queueserver_standalone.configuration.old_options import OLD_OPTIONS, Fate
from queueserver_standalone.configuration.option_table import CONFIG, OPTIONS
from queueserver_standalone.configuration.settings import parse
from queueserver_standalone.errors import StandaloneError

#: Every option of the releases that people run, and of those that the tutorials are about.
KNOWN = [
    "--config",
    "--zmq-control-addr",
    "--zmq-addr",
    "--zmq-encoding",
    "--startup-profile",
    "--startup-module",
    "--startup-script",
    "--startup-dir",
    "--ignore-invalid-plans",
    "--device-max-depth",
    "--existing-plans-devices",
    "--update-existing-plans-devices",
    "--user-group-permissions",
    "--user-group-permissions-reload",
    "--redis-addr",
    "--redis-name-prefix",
    "--keep-re",
    "--use-ipython-kernel",
    "--ipython-dir",
    "--ipython-matplotlib",
    "--ipython-kernel-ip",
    "--ipython-connection-file",
    "--ipython-connection-dir",
    "--ipython-shell-port",
    "--ipython-iopub-port",
    "--ipython-stdin-port",
    "--ipython-hb-port",
    "--ipython-control-port",
    "--permitted-re-metadata-keys",
    "--zmq-info-addr",
    "--zmq-publish-console-addr",
    "--zmq-publish-console",
    "--console-output",
    "--verbose",
    "--quiet",
    "--silent",
    "--kafka-topic",
    "--kafka-server",
    "--zmq-data-proxy-addr",
    "--use-persistent-metadata",
    "--databroker-config",
]
#: Every key of the configuration file.
KEYS = [
    "network.zmq_control_addr",
    "network.zmq_private_key",
    "network.zmq_info_addr",
    "network.zmq_encoding",
    "network.zmq_publish_console",
    "network.redis_addr",
    "network.redis_name_prefix",
    "startup.keep_re",
    "startup.device_max_depth",
    "startup.ignore_invalid_plans",
    "startup.existing_plans_and_devices_path",
    "startup.user_group_permissions_path",
    "startup.startup_dir",
    "startup.startup_script",
    "startup.startup_module",
    "startup.startup_profile",
    "startup.ipython_dir",
    "worker.use_ipython_kernel",
    "worker.ipython_kernel_ip",
    "worker.ipython_matplotlib",
    "worker.ipython_connection_file",
    "worker.ipython_connection_dir",
    "worker.ipython_shell_port",
    "worker.ipython_iopub_port",
    "worker.ipython_stdin_port",
    "worker.ipython_hb_port",
    "worker.ipython_control_port",
    "worker.permitted_re_metadata_keys",
    "operation.print_console_output",
    "operation.console_logging_level",
    "operation.update_existing_plans_and_devices",
    "operation.user_group_permissions_reload",
    "operation.emergency_lock_key",
    "run_engine.use_persistent_metadata",
    "run_engine.kafka_server",
    "run_engine.kafka_topic",
    "run_engine.zmq_data_proxy_addr",
    "run_engine.databroker_config",
]
VARIABLES = [
    "QSERVER_ZMQ_CONTROL_ADDRESS_FOR_SERVER",
    "QSERVER_ZMQ_INFO_ADDRESS_FOR_SERVER",
    "QSERVER_ZMQ_ENCODING_FOR_SERVER",
    "QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER",
    "QSERVER_ZMQ_PRIVATE_KEY",
    "QSERVER_EMERGENCY_LOCK_KEY_FOR_SERVER",
    "QSERVER_PERMITTED_RE_METADATA_KEYS",
    "QSERVER_USE_IPYTHON_KERNEL",
    "QSERVER_IPYTHON_KERNEL_IP",
    "QSERVER_IPYTHON_CONNECTION_FILE",
    "QSERVER_IPYTHON_CONNECTION_DIR",
    "QSERVER_IPYTHON_SHELL_PORT",
    "QSERVER_IPYTHON_IOPUB_PORT",
    "QSERVER_IPYTHON_STDIN_PORT",
    "QSERVER_IPYTHON_HB_PORT",
    "QSERVER_IPYTHON_CONTROL_PORT",
    "QSERVER_SETTINGS_SAVE_TO_FILE",
]


def test_nothing_that_people_know_is_unknown() -> None:
    flags = {flag for option in (CONFIG, *OPTIONS) for flag in (option.flag, *option.short_forms)}
    assert not set(KNOWN) - flags - {flag for old in OLD_OPTIONS for flag in old.flags}
    paths = {option.path for option in OPTIONS} | {path for old in OLD_OPTIONS for path in old.paths}
    assert not set(KEYS) - paths
    assert not set(VARIABLES) - variables()


def test_the_options_that_are_typed_most_are_understood_with_a_warning() -> None:
    found = parse(["--zmq-publish-console", "ON", "--zmq-addr", "tcp://127.0.0.1:5000", "--console-output", "OFF"])
    assert found.console_output == "OFF"
    assert (found.zmq_bridge.publish, found.zmq_bridge.control) == (True, "tcp://127.0.0.1:5000")
    assert found.notes == ("--zmq-addr is called --zmq-control-addr here.",)


def test_one_that_has_another_name_is_taken_for_that_one(tmp_path: Path) -> None:
    found = parse(["--redis-name-prefix", "bl7"])
    assert (found.key_prefix, found.notes) == ("bl7", ("--redis-name-prefix is called --key-prefix here.",))
    with pytest.raises(StandaloneError, match=r"--key-prefix and --redis-name-prefix mean the same. Give one of them"):
        parse(["--redis-name-prefix", "a", "--key-prefix", "b"])
    with pytest.raises(StandaloneError, match="--redis-name-prefix must not be empty"):
        parse(["--redis-name-prefix", ""])
    (tmp_path / "config.yml").write_text("network: {redis_name_prefix: bl7}\n")
    found = parse(["--config", str(tmp_path / "config.yml")])
    assert (found.key_prefix, found.notes) == (
        "bl7",
        (f"network.redis_name_prefix ({tmp_path / 'config.yml'}, line 1) is called --key-prefix here.",),
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--use-ipython-kernel", "ON"], "--use-ipython-kernel can't be ON, .*: leave it out"),
        (["--kafka-topic", "t"], r"--kafka-topic asks for documents in Kafka, .* subscribe in the startup code"),
        (["--databroker-config", "x"], r"--databroker-config asks for a databroker, .* RE\.subscribe\(db\.insert\)"),
        (["--use-persistent-metadata"], r"--use-persistent-metadata asks for metadata that is kept"),
        (["--zmq-publish-console", "MAYBE"], "--zmq-publish-console must be ON or OFF, not 'MAYBE'"),
        (["--zmq-encoding", "xml"], "--zmq-encoding must be json or msgpack, not 'xml'"),
    ],
)
def test_one_that_people_rely_on_is_refused_with_what_to_do(words: list[str], sentence: str) -> None:
    with pytest.raises(StandaloneError, match=sentence):
        parse(words)


def test_what_holds_anyway_is_accepted_without_a_word() -> None:
    assert parse(["--use-ipython-kernel", "OFF"]).notes == ()


@pytest.mark.parametrize(
    ("word", "level"), [("--verbose", "DEBUG"), ("--quiet", "WARNING"), ("--silent", "SILENT"), ("NORMAL", "INFO")]
)
def test_how_much_is_logged_has_its_old_names(word: str, level: str, tmp_path: Path) -> None:
    if word.startswith("--"):
        assert parse([word]).log.level == level
        with pytest.raises(SystemExit):
            parse([word, "--log-level", "INFO"])
    (tmp_path / "c.yml").write_text(f"operation: {{console_logging_level: {word.strip('-').upper()}}}\n")
    found = parse(["--config", str(tmp_path / "c.yml")])
    assert (found.log.level, len(found.notes)) == (level, 1)


def test_each_old_option_that_has_another_name_means_an_option_of_ours() -> None:
    for old in OLD_OPTIONS:
        assert (old.fate is Fate.RENAMED) == bool(old.ours)
        assert not old.ours or old.ours in {option.id for option in OPTIONS}
        assert not old.advice.endswith(".")
