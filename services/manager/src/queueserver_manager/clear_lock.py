"""`qserver-clear-lock`: clear a lock whose key is lost, with access to Redis and without the key.

The tool changes nothing in the record itself: it leaves an order in Redis. A running Manager carries it out at once,
by a change like any other, which every watcher sees; if none runs, the next one does so before it serves
any client. An order names the lock that was shown, so a lock that another client sets meanwhile is not cleared.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from queueserver_process.data_places import default_data_directory, runtime_path
from queueserver_process.options import OptionParser, add_version
from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.domain.lock.lock import Lock, local_time
from queueserver_manager.settings import add_redis_credentials, read_redis_credentials
from queueserver_manager.store.adoption import keys_in_use
from queueserver_manager.store.codecs.lock_codec import decode_lock
from queueserver_manager.store.connection import COMMAND_TIMEOUT, AddressError, answered_within, connect
from queueserver_manager.store.keys import Keys

_VARIABLES = ("QSERVER_REDIS_URL", "QUEUESERVER_REDIS_URL")
#: How long to wait for a running Manager.
_ANSWER_SECONDS = 5
_MOST_ORDERS = 100
_EXAMPLES = """\
examples:
  qserver-clear-lock                                 the server of start-re-manager on this machine
  qserver-clear-lock --data-dir /data/qserver        the server that was started with this --data-dir
  qserver-clear-lock --redis-addr redis.beamline     a server that was started with this Redis

exit codes: 0 cleared, to be cleared when the server starts, or nothing was locked · 1 not cleared · 2 wrong options
"""


class _Exit(IntEnum):
    """How the tool exits."""

    DONE = 0
    FAILED = 1
    INTERRUPTED = 130


class _NotPossible(Exception):  # noqa: N818 - it says what is the matter
    """The lock can't be cleared; the message says why, and what helps."""


@dataclass(frozen=True)
class _Place:
    """Where the lock is."""

    address: str
    #: As it is shown: no password.
    name: str
    prefix: str
    #: Data directory of the server on this machine to which that Redis belongs.
    directory: Path | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `qserver-clear-lock`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing to clean up
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.redis_addr and options.data_dir:
        parser.error("--redis-addr and --data-dir name two places: give one of them")
    prefix = options.key_prefix
    if options.redis_name_prefix:
        _note("--redis-name-prefix is called --key-prefix here.")
        prefix = options.redis_name_prefix
    options.redis = options.redis_addr or _address_of_variable()
    if options.redis:
        read_redis_credentials(parser, options)
    try:
        place = _place(options.redis, options.data_dir, prefix)
        return asyncio.run(_clear(place))
    except (_NotPossible, AddressError) as error:
        _note(str(error))
        return _Exit.FAILED


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        prog="qserver-clear-lock",
        description="Clear the lock of a Queue Server without its key, for example because the key is lost.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--redis-addr",
        metavar="ADDR",
        help=f"the server's Redis: a URL, or host[:port[/db]]; also from {_VARIABLES[0]}, where other users of the "
        "machine can't see a password",
    )
    add_redis_credentials(parser)
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help="data directory of a server that runs here, as for start-re-manager",
    )
    parser.add_argument(
        "--key-prefix", metavar="PREFIX", default="qs", help="first part of every Redis key (default: %(default)s)"
    )
    parser.add_argument("--redis-name-prefix", metavar="PREFIX", help=argparse.SUPPRESS)
    add_version(parser, "queueserver-manager")
    return parser


def _address_of_variable() -> str:
    return next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")


def _place(address: str, data_directory: Path | None, prefix: str) -> _Place:
    """Where to look. Raises _NotPossible if that is neither given nor found."""
    if data_directory is not None:
        try:
            directory = data_directory.expanduser().absolute()
        except RuntimeError:
            raise _NotPossible(f"This machine does not know the user of --data-dir {str(data_directory)!r}.") from None
        if not _socket_of(directory).exists():
            raise _NotPossible(_missing(directory) if _is_missing(directory) else _stopped(directory))
        return _on_machine(directory, prefix)
    if address:
        return _Place(address, "Redis", prefix)
    usual = [default_data_directory(demo=demo) for demo in (False, True)]
    running = [directory for directory in usual if _socket_of(directory).exists()]
    if len(running) == 1:
        return _on_machine(running[0], prefix)
    if running:
        raise _NotPossible(f"Two servers run here: name one by --data-dir {usual[0]} or --data-dir {usual[1]}.")
    raise _NotPossible(
        "No server of start-re-manager with a Redis of its own runs here for this user. Start it, or say where the "
        "lock is by --data-dir DIR or --redis-addr ADDR."
    )


def _is_missing(directory: Path) -> bool:
    """Whether a directory certainly does not exist, as opposed to one that this user can't reach."""
    try:
        directory.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return not directory.is_dir()


def _missing(directory: Path) -> str:
    return f"There is no directory {directory}: give --data-dir the directory with which the server was started."


def _stopped(directory: Path) -> str:
    """A sentence: the Redis of a data directory has to run, and how to start it."""
    return (
        f"The lock is in the Redis of {directory}, which is stopped: start the server with start-re-manager --data-dir "
        f"{shlex.quote(str(directory))} (it starts with the lock in place), then repeat this command."
    )


def _socket_of(directory: Path) -> Path:
    return runtime_path(directory) / "redis"


def _on_machine(directory: Path, prefix: str) -> _Place:
    return _Place(f"unix://{quote(str(_socket_of(directory)))}", f"The Redis of {directory}", prefix, directory)


async def _clear(place: _Place) -> int:
    redis = connect(place.address, place.prefix)
    try:
        keys = await keys_in_use(redis, place.prefix)
        async with answered_within():
            stored = await redis.get(keys.lock)
        if stored is None:
            print("No lock was detected.")  # noqa: T201 - what this tool is for
            return _Exit.DONE
        lock = _read(stored)
        print(_held(lock))  # noqa: T201 - as above
        return await _order(redis, keys, lock)
    except (RedisError, OSError) as error:
        if place.directory is not None and _is_stopped(place.directory):
            raise _NotPossible(_stopped(place.directory)) from None
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise _NotPossible(
            f"{place.name} does not respond, or refuses the request: {reason}. Nothing was cleared."
        ) from None
    finally:
        await redis.aclose()


def _is_stopped(directory: Path) -> bool:
    """Whether the Redis of a data directory was killed and has left its socket behind."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(_socket_of(directory)))
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except OSError:
            return False
    return False


def _read(stored: bytes | str) -> Lock:
    try:
        return decode_lock(stored if isinstance(stored, bytes) else stored.encode())
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _NotPossible(
            "The lock in Redis can't be read: it was written by another version of the server."
        ) from None


async def _order(redis: Redis, keys: Keys, lock: Lock) -> int:
    """Leave the order, and wait for a running Manager to carry it out."""
    async with answered_within():
        order: Any = await redis.xadd(keys.lock_orders, {"lock": lock.uid}, maxlen=_MOST_ORDERS, approximate=True)
    async with answered_within(_ANSWER_SECONDS + COMMAND_TIMEOUT):
        answer: Any = await redis.blpop([f"{keys.lock_answers}:{order.decode()}"], timeout=_ANSWER_SECONDS)
    if answer is not None:
        return _said(is_cleared=answer[1] == b"cleared")
    if await keys_in_use(redis, keys.prefix) != keys:
        raise _NotPossible("The server was upgraded meanwhile. Look at the lock: qserver lock info")
    async with answered_within():
        is_running = await redis.exists(keys.lease)
    if is_running:
        raise _NotPossible(
            "The running Manager has not responded yet: it clears the lock as soon as it can. "
            "Look at it: qserver lock info"
        )
    print("No Manager runs: the lock is cleared when the server starts.")  # noqa: T201 - as above
    return _Exit.DONE


def _said(*, is_cleared: bool) -> int:
    if is_cleared:
        print("The lock was cleared.")  # noqa: T201 - as above
        return _Exit.DONE
    _note("That lock was released or replaced meanwhile, and nothing was cleared. Look at it: qserver lock info")
    return _Exit.FAILED


def _held(lock: Lock) -> str:
    """Who locked what, and since when; never the key."""
    claim = lock.claim
    what = [name for name, is_locked in (("environment", claim.environment), ("queue", claim.queue)) if is_locked]
    since = local_time(claim.time).strftime("%m/%d/%Y %H:%M:%S")
    note = f" Note: {claim.note}" if claim.note else ""
    return _shown(f"Lock detected: {' and '.join(what)} locked by {claim.user} since {since}.{note}")


def _shown(text: str) -> str:
    """Foreign text, made harmless to a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - as above
