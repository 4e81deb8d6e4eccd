"""The command ``qserver-import``: shows what it would import, and imports it when told to."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from queueserver.manager.v1 import import_state_pb2 as pb
from queueserver_client import Locked, QueueServerError, ServiceUnavailable

from queueserver_import import old_redis, report
from queueserver_import.failures import Failure, NoConnection
from queueserver_import.old_config import OldConfig, read_config
from queueserver_import.old_redis import OldRedis
from queueserver_import.server import UNKNOWN_SERVER, Facts, Import, Server, carry_out
from queueserver_import.state import PARTS, OldState, State

_DESCRIPTION = """\
Takes over queue, history, permissions, mode, lock and autostart of a bluesky-queueserver. It shows what it would do;
with --apply it does it. The old Redis is only read. A repetition adds nothing twice, also after an interruption.
"""
_STOPPED = (
    "A plan was running in the old server, and {count} other programs are connected to its Redis: stop the old "
    "server, and make sure that the plan no longer runs; then add --stopped."
)
_TWO_LOCKS = (
    "The old server's lock, which has a key of its own, can't take the place of this one: release this one first, or "
    "leave the old one out (--without lock) and give the key of this one (--lock-key)."
)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0, 2 if something was refused, 3 without a connection."""
    options = _parser().parse_args(words)
    try:
        return asyncio.run(_run(options))
    except Failure as failure:
        _complain(failure)
        return failure.exit_code
    except ServiceUnavailable as error:
        _complain(error)
        return NoConnection.exit_code
    except QueueServerError as error:
        _complain(error)
        return Failure.exit_code
    except KeyboardInterrupt:
        _complain("\nInterrupted: type the same command again to go on.")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("qserver-import", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument(
        "--redis-addr", metavar="ADDR", help="Redis of the old server: HOST, HOST:PORT, HOST:PORT/DB or a URL"
    )
    parser.add_argument(
        "--redis-name-prefix", metavar="TEXT", help="prefix of its keys (default: qs_default; '' for none)"
    )
    parser.add_argument(
        "--config",
        metavar="PATH",
        type=Path,
        default=_path_of("QSERVER_CONFIG"),
        help="configuration of the old server, a file or a directory, which names its Redis (default: $QSERVER_CONFIG)",
    )
    parser.add_argument("--address", "-a", metavar="HOST:PORT", help="the server to fill (default: $QSERVER_ADDRESS)")
    parser.add_argument("--apply", action="store_true", help="import; without it, only show what would be done")
    parser.add_argument("--into-existing", action="store_true", help="add it to a server that is not empty")
    parser.add_argument(
        "--stopped", action="store_true", help="the old server is stopped, although its Redis is in use"
    )
    parser.add_argument(
        "--without", action="append", default=[], choices=PARTS, help="leave this out; may be given several times"
    )
    parser.add_argument("--lock-key", default="", metavar="KEY", help="key of the lock of the server to fill")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def _path_of(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(text) if text else None


async def _run(options: argparse.Namespace) -> int:
    config = read_config(options.config) if options.config is not None else OldConfig()
    prefix = options.redis_name_prefix
    if prefix is None:
        prefix = old_redis.DEFAULT_PREFIX if config.redis_prefix is None else config.redis_prefix
    redis = OldRedis(options.redis_addr or config.redis_address or "localhost", prefix)
    server = Server(options.address, _user())
    try:
        return await _import(options, config, redis, server)
    finally:
        await server.close()
        await redis.close()


async def _import(options: argparse.Namespace, config: OldConfig, redis: OldRedis, server: Server) -> int:
    if not await redis.known():
        raise Failure(
            f"{redis.described}: there is nothing of a bluesky-queueserver. Its keys would be called "
            f"{redis.key(old_redis.QUEUE)}, for example; say what they begin with: --redis-name-prefix."
        )
    facts, unreachable = await _ask(server, needed=options.apply)
    old = OldState(redis, config, options.without, facts.policy, facts.most_entries, _tell_progress)
    state = await old.survey()
    wanted = Import(state, redis.described, options.lock_key, options.into_existing)
    refusal = unreachable or await _obstacle(options, state, redis)
    answer: pb.ImportStateResponse | None = None
    if not refusal:
        try:
            answer = await server.send(wanted.begin(check=True))
        except Locked as error:
            refusal = f"{error} {_TWO_LOCKS}" if state.lock is not None else str(error)
        except QueueServerError as error:
            refusal = str(error)
    is_done = answer is not None and answer.HasField("complete_time")
    if not options.json:
        _say(f"From {redis.described}\nto   {server.address}:\n")
        _say(report.for_people(state, options.without, config))
        _say()
    applied = options.apply and not refusal and not is_done
    if applied:
        answer = await carry_out(wanted, old, server, _tell_progress)
    if options.json:
        told = report.for_programs(
            state, options.without, config, redis.described, answer, applied=applied, refusal=refusal
        )
        _say(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        await _tell_end(server, answer, refusal, applied=applied, is_done=is_done)
    if unreachable:
        return NoConnection.exit_code
    return Failure.exit_code if refusal else 0


async def _ask(server: Server, *, needed: bool) -> tuple[Facts, str]:
    """What the server says of itself; to show something, it need not be there."""
    try:
        return await server.facts(), ""
    except ServiceUnavailable as error:
        if needed:
            raise
        return UNKNOWN_SERVER, f"What the server would say is not known: {error}"


async def _obstacle(options: argparse.Namespace, state: State, redis: OldRedis) -> str:
    """Why the old state can't be imported as it is; empty if it can."""
    if state.obstacles:
        return "; ".join(f"{text}. Leave it out: --without {part}" for part, text in state.obstacles.items())
    if state.running is not None and not options.stopped:
        count = await redis.other_clients()
        return _STOPPED.format(count=count) if count else ""
    return ""


async def _tell_end(
    server: Server, answer: pb.ImportStateResponse | None, refusal: str, *, applied: bool, is_done: bool
) -> None:
    if refusal:
        _say(f"Nothing was changed. {refusal}")
    elif answer is not None and is_done:
        _say(f"Nothing to do: exactly this was imported before ({report.when(answer)}).")
    elif answer is not None and applied:
        known = f", of which {answer.known_count} were there already" if answer.known_count else ""
        _say(f"Imported: {answer.items_done} items and {answer.history_done} entries{known}.")
        invalid = (await server.facts()).invalid_items
        if invalid:
            _say(
                f"Items in the queue that would be refused now: {invalid}. They are marked: qserver queue get. Open "
                "the environment first if that was not done yet: they are checked again then."
            )
    elif answer is not None and answer.HasField("begin_time"):
        _say("This import was begun and is not complete. Add --apply to go on.")
    else:
        _say("Nothing was changed. Add --apply to import it.")


def _tell_progress(what: str, count: int, total: int) -> None:
    if not sys.stderr.isatty():
        return
    sys.stderr.write(f"\r{what}: {count} of {total}" + ("\n" if count >= total else ""))
    sys.stderr.flush()


def _say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")


def _complain(problem: object) -> None:
    sys.stderr.write(f"{problem}\n")


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
