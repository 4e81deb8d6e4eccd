"""The options of start-re-manager, as a person types them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from queueserver_rpc.advertised_address import refusal_of_address
from queueserver_rpc.listening import (
    UNIX,
    ListenError,
    add_insecure_option,
    insecure_by_environment,
    is_address,
    refuse_unasked,
)
from queueserver_rpc.log import LogChoice, add_log_options, read_log_options
from queueserver_rpc.options import OptionParser

from queueserver_standalone import question_timeout
from queueserver_standalone.child import REDIS_VARIABLE
from queueserver_standalone.data_directory import default_data_directory
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.kept_sizes import add_size_options, manager_arguments
from queueserver_standalone.manager_files import ManagerFiles, add_file_options, read_files
from queueserver_standalone.redis_address import redis_url
from queueserver_standalone.startup_source import Startup, add_startup_options, read_startup

DEFAULT_LISTEN = "127.0.0.1:60630"
DEFAULT_WARNING_MB = 1000
MEGABYTE = 1024 * 1024
_DIGITS = 12
DEFAULT_GROUP_VARIABLE = "QSERVER_DEFAULT_USER_GROUP"
ADVERTISE_VARIABLE = "QUEUESERVER_ADVERTISE_ADDRESS"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is decided before anything starts."""

    #: ``HOST:PORT`` (port 0 picks a free one) or ``unix:PATH`` for clients.
    listen: str
    data_directory: Path
    startup: Startup
    files: ManagerFiles
    #: URL of an existing Redis; None for the embedded one.
    redis: str | None
    key_prefix: str
    #: Show what startup code and plans print: ON or OFF.
    console_output: str
    #: ``HOST:PORT`` that the Manager tells clients; None to leave it to the Manager.
    advertise: str | None = None
    #: `listen` may be an address that others than this machine's own programs can reach.
    insecure_listen: bool = False
    #: Less room on the disk of the embedded Redis is warned of, in bytes; 0 for no warning.
    warn_below: int = DEFAULT_WARNING_MB * MEGABYTE
    #: Seconds that a question of a plan waits for an answer, or "none".
    question_timeout: str = question_timeout.NEVER
    #: The user group of clients that send none; empty to leave the choice to the Manager.
    default_group: str = ""
    #: Arguments for the Manager that say how much it keeps.
    kept: tuple[str, ...] = ()
    #: How much all parts log, and in which form.
    log: LogChoice = field(default_factory=LogChoice)


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line. Raises StandaloneError for values that can't work; argparse ends on wrong usage."""
    options = _parser().parse_args(arguments)
    startup = read_startup(options)
    insecure = options.insecure_listen or _insecure_by_environment()
    return Settings(
        listen=_listen_address(options.listen, insecure=insecure),
        data_directory=_data_directory(options.data_dir, demo=startup.is_demo),
        startup=startup,
        files=read_files(options, startup.directory),
        redis=redis_url(options.redis_addr) if options.redis_addr else None,
        key_prefix=options.key_prefix,
        console_output=options.console_output,
        advertise=_advertised_address(options.advertise_address) if options.advertise_address else None,
        insecure_listen=insecure,
        warn_below=options.free_space_warning * MEGABYTE,
        question_timeout=question_timeout.read_question_timeout(options.question_timeout),
        default_group=_default_group(options.default_user_group),
        kept=manager_arguments(options),
        log=read_log_options(options),
    )


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        prog="start-re-manager",
        description="Start the Queue Server on this machine: Redis, Worker and Manager. Ctrl-C stops all of it.",
        epilog="Then, in another terminal: qserver status; qserver environment open --wait; qserver -h.",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        default=DEFAULT_LISTEN,
        help="where clients connect: HOST:PORT (port 0: any) or unix:PATH (default: %(default)s)",
    )
    add_insecure_option(parser)
    parser.add_argument(
        "--advertise-address",
        metavar="HOST:PORT",
        default=os.environ.get(ADVERTISE_VARIABLE),
        help=f"where clients are told to find this server, also from {ADVERTISE_VARIABLE} (default: where it listens, "
        "with the host name where that is every interface)",
    )
    # A path may contain what argparse takes for a format.
    usual, of_demo = (str(default_data_directory(demo=demo)).replace("%", "%%") for demo in (False, True))
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help=f"where queue, history, permissions and logs are kept (default: {usual}, for the demo {of_demo})",
    )
    parser.add_argument(
        "--free-space-warning",
        metavar="MB",
        type=_megabytes,
        default=DEFAULT_WARNING_MB,
        help="warn in the log, in the status and in 'qserver why' when the disk of the embedded Redis has less room "
        "than this, in megabytes; 0: never (default: %(default)s)",
    )
    add_startup_options(parser)
    add_file_options(parser)
    parser.add_argument(
        "--default-user-group",
        metavar="NAME",
        default=os.environ.get(DEFAULT_GROUP_VARIABLE) or "",
        help=f"user group of clients that send none, also from {DEFAULT_GROUP_VARIABLE} (default: admin if permissions "
        "have it, else primary, else the only group there is besides root)",
    )
    parser.add_argument(
        "--console-output",
        choices=("ON", "OFF"),
        default="ON",
        help="show here what startup code and plans print; clients see it in any case (default: %(default)s)",
    )
    parser.add_argument(
        question_timeout.OPTION,
        metavar="SECONDS",
        help="how long a question of a plan (bps.input_plan) waits for an answer until the plan fails; none: for ever "
        f"(default: ${question_timeout.VARIABLE}, else none)",
    )
    parser.add_argument(
        "--redis-addr",
        metavar="URL",
        default=os.environ.get(REDIS_VARIABLE),
        help="an existing Redis: redis://, rediss:// or unix:// URL, or host[:port[/db]] (default: start one); "
        f"a URL with a password is better given in {REDIS_VARIABLE}, because everybody can read command lines",
    )
    parser.add_argument(
        "--key-prefix", metavar="PREFIX", default="qs", help="first part of every Redis key (default: %(default)s)"
    )
    add_size_options(parser)
    add_log_options(parser)
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    return parser


class _ShowVersion(argparse.Action):
    """Looks the version up only when asked: what it takes to do so would stay in memory for good."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - see above

        parser.exit(message=f"{version('queueserver-standalone')}\n")


def _megabytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise argparse.ArgumentTypeError(f"must be a whole number of megabytes, 0 or more, not {text:.40}")
    return int(text)


def _data_directory(given: Path | None, *, demo: bool) -> Path:
    return (given or default_data_directory(demo=demo)).expanduser().absolute()


def _listen_address(text: str, *, insecure: bool) -> str:
    if not is_address(text):
        message = (
            f"'{text:.80}' is not an address to listen on. Give --listen as HOST:PORT, for example {DEFAULT_LISTEN}, "
            "or as unix:PATH."
        )
        raise StandaloneError(message)
    try:
        refuse_unasked(text, insecure=insecure)
    except ListenError as error:
        raise StandaloneError(str(error)) from error
    # The Manager runs in another directory.
    return f"{UNIX}{Path(text.removeprefix(UNIX)).expanduser().absolute()}" if text.startswith(UNIX) else text


def _insecure_by_environment() -> bool:
    try:
        return insecure_by_environment()
    except ValueError as error:
        raise StandaloneError(str(error)) from error


def _default_group(name: str) -> str:
    if name == "root":
        raise StandaloneError("--default-user-group can't be 'root', which submits nothing. Name another group.")
    return name


def _advertised_address(text: str) -> str:
    problem = refusal_of_address(text)
    if problem is not None:
        raise StandaloneError(f"--advertise-address {problem}.")
    return text
