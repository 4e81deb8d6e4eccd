"""What can be set for a Worker, all of it on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from queueserver_process.interpreter import Interpreter
from queueserver_process.log import LogChoice, add_log_options, read_log_options
from queueserver_process.options import OptionParser
from queueserver_rpc.listening import UNIX, add_insecure_option, insecure_by_environment
from queueserver_rpc.tls_files import Side, TlsFiles, add_tls_options, read_tls_options

from queueserver_worker.list_options import ListOptions, add_list_options, read_list_options
from queueserver_worker.python_option import add_python_option, read_python_option
from queueserver_worker.question_options import add_question_option, question_arguments
from queueserver_worker.startup_options import StartupOptionError, add_startup_options, read_startup_options
from queueserver_worker.supervisor.journal import DEFAULT_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one Worker."""

    #: `unix:PATH` or HOST:PORT; port 0 picks a free one.
    listen: str
    #: Where outcomes wait for their acknowledgement; one Worker at a time.
    state_dir: Path
    #: Arguments for the environment, see `startup_options` and `question_options`.
    startup: Sequence[str]
    #: Where its plans and devices are listed.
    lists: ListOptions = field(default_factory=ListOptions)
    #: Memory for events that a Manager may still ask for.
    journal_bytes: int = DEFAULT_LIMIT_BYTES
    #: The plan that runs has this long to end when the service is stopped, in seconds.
    plan_stop_timeout: float = 5.0
    #: The environment has this long to end when the service is stopped, in seconds.
    close_stop_timeout: float = 2.0
    #: A Manager has this long to store the last outcomes when the service is stopped, in seconds.
    acknowledge_timeout: float = 2.0
    log: LogChoice = field(default_factory=LogChoice)
    #: Show the environment's console on standard output too.
    console_output: bool = True
    #: `listen` may be an address that is reachable from beyond this machine.
    insecure_listen: bool = False
    #: Clients must have a certificate that this CA has signed; None on a unix socket, or without TLS.
    tls: TlsFiles | None = None
    #: The environment runs on it; None for the Worker's own.
    environment_python: Interpreter | None = None

    @property
    def source(self) -> tuple[str, str]:
        """Option and value that say where the startup code is."""
        return self.startup[0], self.startup[1]

    def shown(self) -> dict[str, str]:
        """Settings that clients see, by the names of the options. Each one that may be shown is named here."""
        return {
            "listen": self.listen,
            "state-dir": str(self.state_dir),
            **_by_name(self.startup),
            **({"environment-python": str(self.environment_python.path)} if self.environment_python else {}),
            **self.lists.shown(),
            "journal-bytes": str(self.journal_bytes),
            "console-output": "ON" if self.console_output else "OFF",
            "insecure-listen": "ON" if self.insecure_listen else "OFF",
            **(self.tls.shown() if self.tls is not None else {}),
            "log-level": self.log.level,
            "log-format": self.log.form,
        }


def _by_name(arguments: Sequence[str]) -> dict[str, str]:
    """Options with their values; ON for one that has none."""
    found: dict[str, str] = {}
    name = ""
    for word in arguments:
        if word.startswith("--"):
            name = word[2:]
            found[name] = "ON"
        else:
            found[name] = word
    return found


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line; ends the process with a usage message if it can't be used."""
    parser = OptionParser(prog="python -m queueserver_worker", description=__doc__)
    parser.add_argument("--listen", required=True, metavar="ADDRESS", help="unix:PATH or HOST:PORT (port 0: any)")
    add_insecure_option(parser)
    add_tls_options(parser, Side.SERVER)
    parser.add_argument("--state-dir", required=True, type=_path, metavar="DIR", help="where unstored outcomes wait")
    add_startup_options(parser)
    add_list_options(parser)
    add_question_option(parser)
    add_python_option(parser)
    parser.add_argument(
        "--console-output",
        choices=("ON", "OFF"),
        default="ON",
        help="show what startup code and plans print on standard output too (default: %(default)s)",
    )
    parser.add_argument(
        "--journal-bytes",
        type=_positive,
        default=DEFAULT_LIMIT_BYTES,
        metavar="N",
        help="memory for past events, for Managers that were away (default: %(default)s)",
    )
    add_log_options(parser)
    given = parser.parse_args(arguments)
    try:
        startup = read_startup_options(given)
        insecure = given.insecure_listen or insecure_by_environment()
        tls = _tls(given)
        python = read_python_option(given)
    except (StartupOptionError, ValueError) as error:
        parser.error(str(error))
    return Settings(
        listen=given.listen,
        state_dir=given.state_dir,
        startup=(*startup.arguments, *question_arguments(given)),
        lists=read_list_options(given),
        journal_bytes=given.journal_bytes,
        log=read_log_options(given),
        console_output=given.console_output == "ON",
        insecure_listen=insecure,
        tls=tls,
        environment_python=python,
    )


def _tls(given: argparse.Namespace) -> TlsFiles | None:
    """The files for TLS. Raises ValueError if they can't be meant."""
    tls = read_tls_options(given, Side.SERVER)
    if tls is not None and given.listen.startswith(UNIX):
        raise ValueError(
            "a unix socket has no TLS, because only its owner can use it: leave out --tls-cert, --tls-key and "
            "--tls-ca, or give --listen HOST:PORT"
        )
    return tls


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number of bytes, not {text:.40}")
    return number
