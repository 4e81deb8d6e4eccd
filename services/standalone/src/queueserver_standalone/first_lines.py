"""The first lines at the terminal: what is started, and what to type once it is ready."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from queueserver_rpc.listening import UNIX

from queueserver_standalone.configuration.option_table import DEFAULT_LISTEN
from queueserver_standalone.configuration.redis_address import without_password
from queueserver_standalone.log import logger
from queueserver_standalone.services import Services

_EXAMPLE = """'{"name": "count", "args": [["det1", "det2"]], "kwargs": {"num": 5}}'"""


def say_what_starts(services: Services) -> None:
    """Print what is started, and with which choices."""
    settings = services.settings
    demo = " (the demo: simulated devices; choose yours by --startup-dir)" if settings.startup.is_demo else ""
    logger.info("Starting Queue Server on %s", settings.listen)
    logger.info("Encryption disabled: connections are neither encrypted nor authenticated")
    logger.info("Startup code: %s%s", settings.startup.value, demo)
    logger.info("Data: %s", settings.data_directory)
    if services.redis_program is not None:
        logger.info("Redis: embedded, %s", services.redis_program.version)
    elif settings.redis is not None:
        logger.info("Redis: %s", without_password(settings.redis))


def say_what_to_type(address: str, *, demo: bool) -> None:
    """Print that plans can be executed now. Only of the demo it is known here which plans there are."""
    logger.info("Ready: clients connect to %s. In another terminal, type for example:", address)
    if address != DEFAULT_LISTEN:
        logger.info("    export QSERVER_ADDRESS=%s", address)
    qserver = _command("qserver")
    logger.info("    %s environment open --wait", qserver)
    if demo:
        logger.info("    %s queue add plan %s", qserver, _EXAMPLE)
    else:
        logger.info("    %s allowed plans", qserver)
        logger.info("    %s queue add plan '{\"name\": …}'", qserver)
    logger.info("    %s queue start", qserver)
    logger.info("    %s watch", qserver)
    logger.info("    grpcurl -plaintext %s list", address.replace(UNIX, "-unix ", 1))
    logger.info("Ctrl-C stops everything.")


def say_who_owns_the_queue(address: str, owner: str) -> None:
    """Print that another server on the same Redis owns the queue."""
    logger.info(
        "Standby on %s: the Manager at %s owns the queue, and this one takes over when that one ends. "
        "Choose another --key-prefix if it is to have a queue of its own.",
        *(address, owner),
    )


def say_what_is_waited_for() -> None:
    """Print that it takes longer than it should."""
    logger.warning("Not ready yet: the Manager has not reached Redis and the Worker. Its lines above say why.")


def _command(name: str) -> str:
    """How to type a command that is installed beside this one: by name, or by path if the shell would not find it."""
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) is not None or not beside.exists():
        return name
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)
