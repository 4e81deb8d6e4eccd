"""What the commonest commands load: each further module is time that a person waits for every line typed."""

from __future__ import annotations

import asyncio
import sys

from queueserver.manager.v1 import status_service_pb2

from tests.integration.cli.conftest import environment
from tests.integration.client.scripted_manager import ScriptedManager

PROGRAM = """
import sys
from queueserver_cli import entries
sys.argv[1:] = WORDS
try:
    entries.qserver()
except SystemExit as end:
    print("LOADED", end.code, *sys.modules)
"""
#: Of the client, what every call needs, and the status.
CLIENT = {
    *("client", "errors", "homes", "lock_errors", "positions", "values", "violations"),
    *("connection", "connection.channel", "connection.connection", "connection.failover_channel", "connection.forks"),
    *("connection.guard", "connection.login", "connection.reconnect_policy", "connection.refusal_details"),
    "connection.refusals",
    *("models", "models.lock", "models.modes", "models.status", "models.storage", "models.waiting", "models.wire_enum"),
}
#: What belongs to other commands, to services or to nobody here.
NEVER = {
    *(
        "numpy",
        "pandas",
        "bluesky",
        "ophyd",
        "yaml",
        "rich",
        "pygments",
        "pydantic",
        "redis",
        "uvloop",
        "pkg_resources",
    ),
    *("grpc_status", "google.protobuf.json_format", "unittest", "requests"),
}


async def loaded(address: str, *words: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM.replace("WORDS", repr(list(words)))),
        env=environment(address),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60.0)
    *_, last = out.decode().splitlines()
    assert last.startswith("LOADED 0 "), out
    return set(last.split()[2:])


def below(package: str, modules: set[str]) -> set[str]:
    """The modules of a package, without its name."""
    return {module.removeprefix(f"{package}.") for module in modules if module.startswith(f"{package}.")}


async def test_status_loads_nothing_that_it_does_not_need(manager: ScriptedManager) -> None:
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    modules = await loaded(manager.address, "status")
    assert modules & NEVER == set()
    assert below("queueserver_client", modules) <= CLIENT
    assert below("queueserver_cli.commands", modules) == {"status"}
    services = {module for module in below("queueserver.manager.v1", modules) if module.endswith("_service_pb2")}
    assert services == {"status_service_pb2"}


async def test_help_and_completion_scripts_do_without_grpc(manager: ScriptedManager) -> None:
    for words in (["-h"], ["queue", "add", "-h"], ["completion", "bash"]):
        modules = await loaded(manager.address, *words)
        assert modules & {"grpc", "asyncio", "google.protobuf", *NEVER} == set(), words
