"""The options of start-re-manager, as a person types them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from queueserver_standalone.child import REDIS_VARIABLE
from queueserver_standalone.data_directory import default_data_directory
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.redis_address import redis_url

DEFAULT_LISTEN = "127.0.0.1:60630"
_HIGHEST_PORT = 65535
#: Where the demo startup code is when this package runs from a clone of the repository.
_DEMO_STARTUP = Path(__file__).resolve().parents[4] / "examples" / "startup"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is decided before anything starts."""

    #: ``HOST:PORT`` for clients; port 0 picks a free one.
    listen: str
    data_directory: Path
    #: Directory with startup files, or a single script.
    startup: Path
    #: The startup code is our own demo.
    is_demo: bool
    #: URL of an existing Redis; None for the embedded one.
    redis: str | None
    key_prefix: str
    #: Never make a RunEngine: startup code without one is then reported as such.
    no_default_re: bool
    #: Show what startup code and plans print: ON or OFF.
    console_output: str


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line. Raises StandaloneError for values that can't work; argparse ends on wrong usage."""
    options = _parser().parse_args(arguments)
    startup: Path | None = options.startup_dir or options.startup_script
    return Settings(
        listen=_listen_address(options.listen),
        data_directory=options.data_dir.expanduser().absolute(),
        startup=_startup(startup, directory=options.startup_script is None),
        is_demo=startup is None,
        redis=redis_url(options.redis_addr) if options.redis_addr else None,
        key_prefix=options.key_prefix,
        no_default_re=options.no_default_re,
        console_output=options.console_output,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="start-re-manager",
        description="Start the Queue Server on this machine: Redis, Worker and Manager. Ctrl-C stops all of it.",
        epilog="Then, in another terminal: qserver status; qserver environment open; qserver -h.",
    )
    parser.add_argument(
        "--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN, help="where clients connect (default: %(default)s)"
    )
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=default_data_directory(),
        help="where queue, history and logs are kept (default: %(default)s)",
    )
    startup = parser.add_mutually_exclusive_group()
    startup.add_argument(
        "--startup-dir", metavar="DIR", type=Path, help="directory with startup files (default: the demo)"
    )
    startup.add_argument("--startup-script", metavar="FILE", type=Path, help="startup code in a single file")
    parser.add_argument(
        "--no-default-re",
        "--keep-re",
        action="store_true",
        help="never make a RunEngine: use the one of the startup code, or none",
    )
    parser.add_argument(
        "--console-output",
        choices=("ON", "OFF"),
        default="ON",
        help="show here what startup code and plans print; clients see it in any case (default: %(default)s)",
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
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    return parser


class _ShowVersion(argparse.Action):
    """Looks the version up only when asked: what it takes to do so would stay in memory for good."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - see above

        parser.exit(message=f"{version('queueserver-standalone')}\n")


def _listen_address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > _HIGHEST_PORT:
        message = f"'{text}' is not an address to listen on. Give --listen as HOST:PORT, for example {DEFAULT_LISTEN}."
        raise StandaloneError(message)
    return text


def _startup(path: Path | None, *, directory: bool) -> Path:
    if path is None:
        if not _DEMO_STARTUP.is_dir():
            raise StandaloneError(
                "The demo startup code comes with the repository and is not here. "
                "Say where your startup code is by --startup-dir DIR or --startup-script FILE."
            )
        return _DEMO_STARTUP
    path = path.expanduser().absolute()
    if directory and not path.is_dir():
        raise StandaloneError(f"There is no directory {path}. Give --startup-dir a directory with startup files.")
    if not directory and not path.is_file():
        raise StandaloneError(f"There is no file {path}. Give --startup-script a Python file.")
    return path
