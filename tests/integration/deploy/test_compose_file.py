"""What docker-compose.yml and the Dockerfiles say, as far as that can be seen without a container engine."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from packaging.requirements import Requirement
from queueserver_standalone.embedded_redis.redis_server import server_arguments

from tests.harness.services import REPOSITORY
from tests.integration.deploy.compose_file import MEMBERS, composition, dockerfile, documented, variables, words_of

_WORDS = {"type": "array", "items": {"type": "string"}}
_NAMES = {"type": "object", "additionalProperties": {"type": "string"}}
_DURATION = {"type": "string", "pattern": r"^\d+(s|m)$"}
_SIZE = {"type": "string", "pattern": r"^\d+[mg]$"}


def _form(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


#: The part of the compose specification that the file uses.
_HEALTH = _form(
    ["test"], test=_WORDS, interval=_DURATION, timeout=_DURATION, start_period=_DURATION, retries={"type": "integer"}
)
_SERVICE = _form(
    ["image", "restart"],
    image={"type": "string"},
    build=_form(["context", "dockerfile"], context={"type": "string"}, dockerfile={"type": "string"}, args=_NAMES),
    command=_WORDS,
    environment=_NAMES,
    user={"type": "string"},
    hostname={"type": "string"},
    ports=_WORDS,
    volumes=_WORDS,
    tmpfs=_WORDS,
    networks=_WORDS,
    depends_on=_WORDS,
    cap_drop=_WORDS,
    security_opt=_WORDS,
    dns_opt=_WORDS,
    restart={"enum": ["unless-stopped", "no"]},
    profiles=_WORDS,
    init={"type": "boolean"},
    read_only={"type": "boolean"},
    logging=_form(["driver"], driver={"type": "string"}, options=_NAMES),
    stop_grace_period=_DURATION,
    healthcheck=_HEALTH,
    mem_limit=_SIZE,
    cpus={"type": "string", "pattern": r"^\d+(\.\d+)?$"},
    pids_limit={"type": "integer"},
)
_SCHEMA = {
    **_form(
        ["name", "services"],
        name={"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        services={"type": "object", "additionalProperties": _SERVICE},
        networks={"type": "object", "additionalProperties": _form([], internal={"type": "boolean"})},
        volumes={"type": "object", "additionalProperties": _form([])},
    ),
    "patternProperties": {"^x-": {}},
}
_SERVICES = ("manager", "worker")


def test_it_has_the_form_of_a_compose_file_and_names_nothing_that_is_not_there() -> None:
    whole = composition()
    jsonschema.validate(whole, _SCHEMA)
    for name, service in whole["services"].items():
        assert set(service["networks"]) <= whole["networks"].keys(), name
        assert set(service.get("depends_on", ())) <= whole["services"].keys(), name
        assert (service["restart"] == "unless-stopped") == ("healthcheck" in service), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (REPOSITORY / source).is_dir() if source.startswith(".") else source in whole["volumes"]
        if "build" in service:
            assert (REPOSITORY / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize("name", ["redis", "manager", "second-manager", "worker", "qserver", "zmq-bridge"])
def test_a_service_may_do_no_more_than_it_needs(name: str) -> None:
    service = composition()["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    if (image := name.removeprefix("second-")) in MEMBERS:
        assert re.findall(r"^USER (.*)$", dockerfile(image), re.MULTILINE) == ["10001:10001"]
    else:
        assert service["user"] == "redis"


def test_only_what_clients_need_can_be_reached_and_only_from_this_machine_unless_told_otherwise() -> None:
    whole = composition()
    ports = {name: service["ports"] for name, service in whole["services"].items() if "ports" in service}
    assert ports == {
        "manager": ["127.0.0.1:60630:60630"],
        "second-manager": ["127.0.0.1:60631:60630"],
        "zmq-bridge": ["127.0.0.1:60615:60615", "127.0.0.1:60625:60625"],
    }
    networks = {name: service["networks"] for name, service in whole["services"].items()}
    assert networks == {
        "redis": ["storage"],
        "worker": ["control"],
        "manager": ["clients", "storage", "control"],
        "second-manager": ["clients", "storage", "control"],
        "qserver": ["clients"],
        "zmq-bridge": ["clients"],
    }
    assert [name for name, network in whole["networks"].items() if network.get("internal")] == ["storage", "control"]


def test_the_second_manager_runs_if_asked_for_and_differs_from_the_first_in_its_names_and_ports() -> None:
    first, second = (composition()["services"][name] for name in ("manager", "second-manager"))
    assert second.pop("profiles") == ["ha"]
    assert "profiles" not in first
    for name, service in (("manager", first), ("second-manager", second)):
        assert service.pop("hostname") == name
        assert service["environment"].pop("QSERVER_INTERNAL_ADDRESS") == f"{name}:60630"
        published = service.pop("ports")[0].removesuffix(":60630")
        assert service["environment"].pop("QSERVER_ADVERTISE_ADDRESS") == published
    assert first == second


def test_each_variable_is_described_once_with_the_default_that_the_file_has() -> None:
    used, said = variables(), documented()
    assert len({name for name, _ in said}) == len(said)
    assert {name: {default} for name, default in said} == used


def test_redis_keeps_data_as_the_embedded_one_does() -> None:
    program, *words = composition()["services"]["redis"]["command"]
    assert program == "redis-server"
    settings = dict(zip(words[::2], words[1::2], strict=True))
    ours = server_arguments(Path("socket"), Path("/data"))
    embedded = dict(zip(ours[::2], ours[1::2], strict=True))
    durable = ("--dir", "--appendonly", "--appendfsync", "--no-appendfsync-on-rewrite", "--save", "--maxmemory-policy")
    assert {name: settings[name] for name in durable} == {name: embedded[name] for name in durable}
    assert "redis-data:/data" in composition()["services"]["redis"]["volumes"]


@pytest.mark.parametrize("name", _SERVICES)
def test_the_file_checks_health_as_the_image_does(name: str) -> None:
    check = composition()["services"][name]["healthcheck"]
    (line,) = re.findall(r"^HEALTHCHECK (.*)$", dockerfile(name), re.MULTILINE)
    said = dict(re.findall(r"--([\w-]+)=(\S+)", line))
    assert said == {word.replace("_", "-"): str(value) for word, value in check.items() if word != "test"}
    assert check["test"] == ["CMD", *words_of(name, "HEALTHCHECK")]


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        *(("manager", ""), ("qserver", ""), ("zmq-bridge", "")),
        *(("worker", "[ophyd]"), ("worker", "[ophyd,ophyd-async]")),
    ],
)
def test_what_an_image_installs_is_in_the_lock(name: str, extras: str) -> None:
    lock = (REPOSITORY / "requirements.lock").read_text("utf-8")
    locked = {_plain(found) for found in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    members = [*MEMBERS[name][:-1], f"{MEMBERS[name][-1]}{extras}"]
    command = [sys.executable, "services/requirements_of.py", *members]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    wanted = {_plain(Requirement(line).name) for line in printed.splitlines()}
    assert "grpcio" in wanted
    assert wanted <= locked
    for variable in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"):
        assert f"{variable}=/build/requirements.lock" in dockerfile(name)
    assert "COPY requirements.lock" in dockerfile(name)
    installed = re.findall(r"requirements_of.py (.*?) >", dockerfile(name))
    assert installed == [" ".join([*MEMBERS[name][:-1], _with_extras(name)])]


def test_the_bridge_runs_if_asked_for_and_is_asked_for_its_health_as_its_image_says() -> None:
    service = composition({"QSERVER_ZMQ_ENCODING_FOR_SERVER": "msgpack"})["services"]["zmq-bridge"]
    assert service["profiles"] == ["zmq"]
    assert service["healthcheck"]["test"] == ["CMD", *words_of("zmq-bridge", "HEALTHCHECK"), "--zmq-encoding=msgpack"]


def test_the_managers_image_has_nothing_of_bluesky() -> None:
    assert not {"bluesky", "ophyd", "numpy", "event-model", "pyzmq"} & _needs("queueserver-manager")
    assert not {"bluesky", "ophyd", "event-model", "redis"} & _needs("queueserver-zmq-bridge")
    assert {"bluesky", "numpy"} <= _needs("queueserver-worker")


def _with_extras(name: str) -> str:
    return f'"{MEMBERS[name][-1]}[${{EXTRAS}}]"' if name == "worker" else MEMBERS[name][-1]


def _needs(package: str) -> set[str]:
    """Everything that comes with a package, by what is installed here."""
    found: set[str] = set()
    waiting = [package]
    while waiting:
        name = _plain(waiting.pop())
        if name not in found:
            found.add(name)
            needed = map(Requirement, importlib.metadata.requires(name) or ())
            waiting += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
