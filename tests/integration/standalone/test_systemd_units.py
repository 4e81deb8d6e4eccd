"""The units for systemd in ``deploy/systemd``, as far as that can be seen without systemd as the first process."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from queueserver_manager.settings import parse as parse_manager
from queueserver_standalone.configuration.choices import variables
from queueserver_standalone.configuration.settings import parse as parse_standalone
from queueserver_worker.settings import parse as parse_worker
from queueserver_zmq_bridge.settings import parse as parse_bridge

from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS, REPOSITORY

DIRECTORY = REPOSITORY / "deploy" / "systemd"
INSTALLED = "/opt/queue-server/bin/"
ALL_IN_ONE, MANAGER, STANDBY, WORKER, BRIDGE, OF_A_USER = UNITS = (
    DIRECTORY / "system/queue-server.service",
    DIRECTORY / "system/queue-server-manager.service",
    DIRECTORY / "system/queue-server-manager@.service",
    DIRECTORY / "system/queue-server-worker.service",
    DIRECTORY / "system/queue-server-zmq-bridge.service",
    DIRECTORY / "user/queue-server.service",
)
#: The highest exposure, in tenths, that `systemd-analyze security` may find.
EXPOSURE = {ALL_IN_ONE: 25, MANAGER: 15, STANDBY: 15, WORKER: 25, BRIDGE: 15, OF_A_USER: 66}
#: Seconds that the processes themselves need to stop in good order, at most.
STOPPING = {ALL_IN_ONE: 32, MANAGER: 2, STANDBY: 2, WORKER: 10, BRIDGE: 2, OF_A_USER: 32}
#: Of a unit that is made for several.
INSTANCE = "60631"
IDS = [f"{unit.parent.name}/{unit.name}" for unit in UNITS]
each_unit = pytest.mark.parametrize("unit", UNITS, ids=IDS)


def _settings(unit: Path) -> dict[str, list[str]]:
    """The settings of a unit by name; one that is given more than once has several values."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found[name].append(value)
    return found


def _variables(unit: Path) -> dict[str, str]:
    words = [word for value in _settings(unit)["Environment"] for word in shlex.split(value)]
    return dict(word.split("=", 1) for word in words)


def _command(unit: Path, places: dict[str, Path]) -> tuple[str, list[str]]:
    """The program and its options, with the places and the variables that systemd would put in."""
    (line,) = _settings(unit)["ExecStart"]
    values = _variables(unit)
    program, *words = line.split()
    options = [option for word in words for option in (values[word[1:]].split() if word[0] == "$" else [word])]
    return program.removeprefix(INSTALLED), [_placed(option, places) for option in options]


def _placed(text: str, places: dict[str, Path]) -> str:
    return re.sub("%[hiSt]", lambda found: str(places[found.group()]), text).replace(
        "/etc/queue-server", str(places["/etc"])
    )


@pytest.fixture
def places(short_path: Path) -> dict[str, Path]:
    found = {"%h": short_path, "%S": short_path / "state", "%t": short_path / "run", "/etc": short_path}
    found["%i"] = Path(INSTANCE)
    for path in (short_path / "startup", found["%t"], found["%S"] / "queue-server" / "lists"):
        path.mkdir(parents=True)
    (short_path / "startup" / "00.py").write_text("def nothing():\n    yield from ()\n")
    return found


@each_unit
def test_every_option_is_one_of_its_program(
    unit: Path, places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in _variables(unit).items():
        monkeypatch.setenv(name, _placed(value, places))
    program, options = _command(unit, places)
    parsers = {
        "queueserver_manager": parse_manager,
        "queueserver_worker": parse_worker,
        "queueserver_zmq_bridge": parse_bridge,
    }
    if program == "start-re-manager":
        assert parse_standalone(options).startup.value == str(places["%h"] / "startup")
    else:
        assert program == "python"
        assert options[0] == "-m"
        parsers[options[1]](options[2:])


def test_manager_and_worker_name_the_same_socket(places: dict[str, Path]) -> None:
    _, manager = _command(MANAGER, places)
    _, worker = _command(WORKER, places)
    assert parse_manager([*manager[2:], "--redis", "unused"]).worker == parse_worker(worker[2:]).listen


def test_a_standby_differs_from_the_manager_in_its_port_alone(places: dict[str, Path]) -> None:
    _, first = _command(MANAGER, places)
    _, second = _command(STANDBY, places)
    listening = parse_manager([*second[2:], "--redis", "unused"]).listen
    assert listening == f"127.0.0.1:{INSTANCE}"
    assert [word for word in second if word not in {"--listen", listening}] == first
    one, other = (_settings(unit) for unit in (MANAGER, STANDBY))
    assert {name for name in one if one[name] != other[name]} == {"Description", "EnvironmentFile", "ExecStart"}
    assert one.keys() == other.keys()


@each_unit
def test_what_it_writes_to_is_made_by_systemd(unit: Path) -> None:
    settings = _settings(unit)
    made = {"%S": settings["StateDirectory"], "%t": settings["RuntimeDirectory"]}
    text = "\n".join((*settings["ExecStart"], *settings["Environment"], *settings["WorkingDirectory"]))
    for place, path in re.findall(r"(%[St])/([\w/-]+)", text):
        directories = " ".join(made[place]).split()
        is_of_worker = unit in {MANAGER, STANDBY} and place == "%t" and path.startswith("queue-server-worker/")
        assert is_of_worker or path in directories or str(Path(path).parent) in directories, path


@each_unit
def test_systemd_watches_it_starts_it_again_and_lets_it_stop_in_good_order(unit: Path) -> None:
    settings = _settings(unit)
    wanted = {"Type": "notify", "NotifyAccess": "main", "Restart": "on-failure", "KillMode": "mixed"}
    assert {name: settings[name] for name in wanted} == {name: [value] for name, value in wanted.items()}
    assert int(settings["WatchdogSec"][0]) >= 30
    assert int(settings["TimeoutStopSec"][0]) >= 2 * STOPPING[unit]
    assert int(settings["TimeoutStartSec"][0]) > int(settings["WatchdogSec"][0])


@pytest.mark.parametrize("unit", [ALL_IN_ONE, WORKER], ids=["all in one", "Worker"])
def test_plans_can_use_devices(unit: Path) -> None:
    closing = {"PrivateDevices", "ProtectClock", "DevicePolicy", "PrivateUsers", "MemoryDenyWriteExecute"}
    assert not closing & _settings(unit).keys()


@pytest.mark.parametrize("path", sorted((DIRECTORY / "etc").glob("*.env")), ids=lambda path: path.name)
def test_every_variable_of_the_examples_is_read(path: Path) -> None:
    names = set(re.findall(r"^#?([A-Z_]+)=", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert names
    certificates = {f"QSERVER_{whose}TLS_{part}" for whose in ("", "WORKER_") for part in ("CERT", "KEY", "CA")}
    ours = {name for unit in (MANAGER, WORKER, BRIDGE) for name in _variables(unit)}
    assert names <= variables() | ours | certificates
    assert any(f"/{path.name}" in value for unit in UNITS for value in _settings(unit)["EnvironmentFile"])


def test_the_example_of_a_drop_in_sets_what_the_server_reads() -> None:
    (drop_in,) = (DIRECTORY / "system" / "queue-server.service.d").iterdir()
    assert _variables(drop_in).keys() <= variables()


def test_what_it_starts_runs_and_ends_in_good_order_when_systemd_stops_it(places: dict[str, Path]) -> None:
    program, options = _command(OF_A_USER, places)
    environment = {name: _placed(value, places) for name, value in _variables(OF_A_USER).items()}
    state = {"XDG_STATE_HOME": str(places["%S"]), "XDG_RUNTIME_DIR": str(places["%t"])}
    environment |= {"QSERVER_LISTEN": "127.0.0.1:0", **state}
    process = TestProcess("the service", [COMMANDS / program, *options], environment=environment)
    try:
        process.wait_ready()
        process.output.wait_for(f"Startup code: {places['%h']}/startup")
        # systemd takes the exit code 0 for a stop that went well, and signals the main process alone (KillMode=mixed).
        process.send(signal.SIGTERM)
        assert process.wait(float(_settings(OF_A_USER)["TimeoutStopSec"][0])) == 0
    finally:
        process.close()


@pytest.fixture(scope="module")
def analyzer() -> str:
    """The program ``systemd-analyze``. Without it the test is skipped; in CI it is installed."""
    if shutil.which("systemd-analyze") is None and os.environ.get("CI"):
        for command in ("update --quiet=2", "install --yes --quiet=2 --no-install-recommends systemd"):
            subprocess.run(["apt-get", *command.split()], timeout=300, check=True)
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    return found


def _analyze(analyzer: str, *words: str) -> str:
    done = subprocess.run([analyzer, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


@each_unit
def test_systemd_finds_no_mistake_in_it(
    unit: Path, analyzer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text(encoding="utf-8").replace(INSTALLED, f"{COMMANDS}/"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    # It succeeds with a setting that it does not know, and only says so.
    assert unit.stem.rstrip("@") not in _analyze(
        analyzer, *(["--user"] if unit == OF_A_USER else []), "--man=no", "verify", str(copy)
    )


@each_unit
def test_it_is_hardened(unit: Path, analyzer: str) -> None:
    _analyze(analyzer, "security", "--offline=true", f"--threshold={EXPOSURE[unit]}", str(unit))
