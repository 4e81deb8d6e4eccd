"""Settings of the Manager, from its command line."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from queueserver_inventory.access import ROOT
from queueserver_process.log import LogChoice, add_log_options, read_log_options
from queueserver_process.options import OptionParser
from queueserver_process.variables import names_of, value_of
from queueserver_rpc.advertised_address import is_every_interface, refusal_of_address
from queueserver_rpc.listening import UNIX, add_insecure_option, host_and_port, insecure_by_environment
from queueserver_rpc.redis_credentials import (
    PASSWORD_FILE_NAME,
    PASSWORD_FILE_OPTION,
    PASSWORD_NAME,
    USERNAME_NAME,
    USERNAME_OPTION,
    CredentialsError,
    with_credentials,
)
from queueserver_rpc.redis_places import moves
from queueserver_rpc.tls_files import Side, TlsFiles, add_tls_options, read_tls_options

from queueserver_manager.domain.limits import Limits
from queueserver_manager.domain.lock.lock import LockKey, key_from
from queueserver_manager.domain.permissions import names
from queueserver_manager.domain.permissions.permissions import DEFAULT_GROUP_OPTION
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.kept_settings import add_kept_options, read_limits
from queueserver_manager.operations.files import ReloadPolicy

DEFAULT_LISTEN = "127.0.0.1:60630"
REDIS_VARIABLE = "QSERVER_REDIS_URL"
DEFAULT_GROUP_VARIABLE = "QSERVER_DEFAULT_USER_GROUP"
#: A variable without an option: every user of the machine can read command lines.
EMERGENCY_NAME = "EMERGENCY_LOCK_KEY_FOR_SERVER"
#: Before the options for TLS with the Worker.
WORKER_PREFIX = "worker-"
_MOST_DIGITS = 2
ADVERTISE_VARIABLE = "QSERVER_ADVERTISE_ADDRESS"
INTERNAL_VARIABLE = "QSERVER_INTERNAL_ADDRESS"
#: What the files are called in a directory.
PERMISSIONS_NAME = "user_group_permissions.yaml"
LISTS_NAME = "existing_plans_and_devices.yaml"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a Manager is started with."""

    #: HOST:PORT or unix:PATH on which clients are served; port 0 picks a free one.
    listen: str
    #: Address of Redis; see store/connection.py.
    redis: str
    #: gRPC address of the Worker: HOST:PORT or unix:PATH.
    worker: str
    #: Prefix of all keys in Redis: one for each instrument that shares a Redis.
    key_prefix: str
    #: Name under which this Manager holds the lease. A process with the same name takes over at once, so it must
    #: only be shared by processes of which at most one lives. Default: host name and port.
    instance_id: str
    log: LogChoice
    #: Which keys of RE.md clients may see; see domain/metadata.py.
    permitted_metadata: tuple[str, ...]
    #: How much is kept.
    limits: Limits = field(default_factory=Limits)
    #: Whether clients may upload code.
    scripts: bool = True
    #: The group for callers that send none; empty to choose one, see Permissions.acting_group.
    default_group: str = ""
    #: File with the permissions of user groups, if there is one, or its directory; and when it is read.
    permissions: Path | None = None
    permissions_reload: ReloadPolicy = ReloadPolicy.ON_STARTUP
    #: File that lists plans and devices, for as long as no environment has reported them, or its directory.
    existing_lists: Path | None = None
    #: HOST:PORT at which clients find this Manager while it owns the queue; None for what it listens on.
    advertise: str | None = None
    #: HOST:PORT at which a standby finds it; None for where clients find it.
    internal: str | None = None
    #: So many replicas of Redis have to have a change before it counts as stored.
    redis_replicas: int = 0
    #: Where the server that this Manager is part of keeps its data, to be told to clients; empty if it is part of none.
    data_directory: str = ""
    #: `listen` may be an address that is reachable from beyond this machine.
    insecure_listen: bool = False
    #: It releases any lock; it comes from the environment alone, because every user can read command lines.
    emergency_key: LockKey | None = None
    #: Certificate and CA for the connection to the Worker; None on a unix socket, or without TLS.
    worker_tls: TlsFiles | None = None


def parse(arguments: Sequence[str]) -> Settings:
    """Settings from a command line. Ends the process with a usage text if it is wrong."""
    parser = OptionParser(
        prog="python -m queueserver_manager", description="Queue Server Manager: owns the queue and decides."
    )
    _add_addresses(parser)
    parser.add_argument(
        "--redis",
        default=value_of("REDIS_URL"),
        metavar="URL",
        help=f"redis://…, rediss://…, unix://… or host:port; a URL with a password is better given in "
        f"{REDIS_VARIABLE}, because all users of the machine can read command lines",
    )
    add_redis_credentials(parser)
    _add_replicas(parser)
    parser.add_argument(
        "--data-dir",
        dest="data_directory",
        default="",
        metavar="DIR",
        help="where the server that this is a part of keeps its data; told to clients, and not used otherwise",
    )
    parser.add_argument("--worker", required=True, metavar="ADDRESS", help="the Worker: HOST:PORT or unix:PATH")
    add_tls_options(parser, Side.CLIENT, WORKER_PREFIX)
    parser.add_argument("--key-prefix", default="qs", metavar="TEXT", help="of all keys in Redis, default: %(default)s")
    parser.add_argument(
        "--instance-id", default="", metavar="NAME", help="of this Manager, default: host name and port"
    )
    parser.add_argument(
        "--permitted-re-metadata-keys",
        dest="permitted_metadata",
        nargs="+",
        default=("/",),
        metavar="KEY",
        help="keys of RE.md that clients may see: / all, /a that key and below, /a/b",
    )
    parser.add_argument(
        "--scripts", choices=("ON", "OFF"), default="ON", help="whether clients may upload code, default: %(default)s"
    )
    _add_files(parser)
    add_kept_options(parser)
    add_log_options(parser)
    given = parser.parse_args(arguments)
    given.permissions_reload = ReloadPolicy(given.permissions_reload)
    given.scripts = given.scripts == "ON"
    try:
        given.insecure_listen = given.insecure_listen or insecure_by_environment()
        given.worker_tls = _worker_tls(given)
    except ValueError as error:
        parser.error(str(error))
    given.permitted_metadata = tuple(given.permitted_metadata)
    limits = read_limits(given)
    try:
        emergency_key = _emergency_key()
    except FieldInvalid as error:
        parser.error(f"{error.violations[0].field}: {error.violations[0].description}")
    choice = read_log_options(given)
    if not given.redis:
        parser.error(f"the address of Redis is missing: give --redis URL, or set {REDIS_VARIABLE}")
    read_redis_credentials(parser, given)
    if given.redis_replicas is None:
        given.redis_replicas = int(moves(given.redis))
    del given.log_level, given.log_format
    del given.worker_tls_cert, given.worker_tls_key, given.worker_tls_ca
    return Settings(**vars(given), limits=limits, log=choice, emergency_key=emergency_key)


def add_redis_credentials(parser: argparse.ArgumentParser) -> None:
    """Options for a user and a password that are not in the address of Redis."""
    parser.add_argument(
        USERNAME_OPTION,
        default=value_of(USERNAME_NAME),
        metavar="NAME",
        help=f"user of Redis, also from QSERVER_{USERNAME_NAME}",
    )
    parser.add_argument(
        PASSWORD_FILE_OPTION,
        type=Path,
        default=Path(path) if (path := value_of(PASSWORD_FILE_NAME)) else None,
        metavar="FILE",
        help=f"file with the password for Redis, also from QSERVER_{PASSWORD_FILE_NAME}; "
        f"the password itself may be in QSERVER_{PASSWORD_NAME}",
    )


def read_redis_credentials(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """Put the user and the password into the address. Ends the process with a usage text if that can't be."""
    try:
        given.redis = with_credentials(
            given.redis, given.redis_username, value_of(PASSWORD_NAME), given.redis_password_file
        )
    except CredentialsError as error:
        parser.error(str(error))
    del given.redis_username, given.redis_password_file


def _worker_tls(given: argparse.Namespace) -> TlsFiles | None:
    """The files for TLS with the Worker. Raises ValueError if they can't be meant."""
    tls = read_tls_options(given, Side.CLIENT, WORKER_PREFIX)
    if tls is not None and given.worker.startswith(UNIX):
        raise ValueError(
            "a unix socket has no TLS, because only its owner can use it: leave out --worker-tls-cert, "
            "--worker-tls-key and --worker-tls-ca, or give --worker HOST:PORT"
        )
    return tls


def _add_replicas(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--redis-replicas",
        type=_replicas,
        default=value_of("REDIS_REPLICAS") or None,
        metavar="N",
        help="so many replicas of Redis must have a change before it counts as stored, also from "
        "QSERVER_REDIS_REPLICAS (default: 1 with redis+sentinel:// and redis+cluster://, else 0)",
    )


def _replicas(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, not {text!r}")
    return int(text)


def _emergency_key() -> LockKey | None:
    """The emergency key, unless there is none: an empty variable counts as none. Raises FieldInvalid."""
    text = value_of(EMERGENCY_NAME)
    return key_from(text, names_of(EMERGENCY_NAME)[0]) if text else None


def _add_addresses(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen", default=DEFAULT_LISTEN, metavar="ADDRESS", help="HOST:PORT or unix:PATH, default: %(default)s"
    )
    add_insecure_option(parser)
    parser.add_argument(
        "--advertise-address",
        dest="advertise",
        type=_address,
        default=value_of("ADVERTISE_ADDRESS") or None,
        metavar="HOST:PORT",
        help="where clients of a standby are sent while this Manager owns the queue, also from "
        f"{ADVERTISE_VARIABLE}; default: what it listens on, with the host name where that is every interface",
    )
    parser.add_argument(
        "--internal-address",
        dest="internal",
        type=_internal_address,
        default=value_of("INTERNAL_ADDRESS") or None,
        metavar="HOST:PORT",
        help="where a standby connects to this Manager, to notice its death at once, if it can't at the address for "
        f"clients, also from {INTERNAL_VARIABLE}; default: --advertise-address",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        DEFAULT_GROUP_OPTION,
        dest="default_group",
        type=_group,
        default=value_of("DEFAULT_USER_GROUP"),
        metavar="NAME",
        help=f"user group of callers that send none, also from {DEFAULT_GROUP_VARIABLE} (default: admin if permissions "
        "have it, else primary, else the only group there is besides root)",
    )
    parser.add_argument(
        "--user-group-permissions",
        dest="permissions",
        type=Path,
        metavar="FILE|DIR",
        help=f"YAML that says what each user group may use, or a directory that may have a {PERMISSIONS_NAME}; "
        "without it and with nothing stored, groups admin and primary may use everything that does not begin with an "
        "underscore",
    )
    parser.add_argument(
        "--user-group-permissions-reload",
        dest="permissions_reload",
        choices=[policy.value for policy in ReloadPolicy],
        default=ReloadPolicy.ON_STARTUP.value,
        help="when the file takes the place of stored permissions: never, when a client asks for it, or also at each "
        "start (default: %(default)s)",
    )
    parser.add_argument(
        "--existing-plans-devices",
        dest="existing_lists",
        type=Path,
        metavar="FILE|DIR",
        help=f"YAML that lists plans and devices, or a directory that may have a {LISTS_NAME}; read at the start if "
        "none are known yet, and on request",
    )


def _group(text: str) -> str:
    name = names.composed(text)
    problem = names.problem_of(name) if name != ROOT else "must be a group that may submit, which 'root' may not"
    if text and problem:
        raise argparse.ArgumentTypeError(problem)
    return name


def _address(text: str) -> str:
    problem = refusal_of_address(text)
    if problem is not None:
        raise argparse.ArgumentTypeError(problem)
    return text


def _internal_address(text: str) -> str:
    problem = refusal_of_address(text, "a standby")
    if problem is not None:
        raise argparse.ArgumentTypeError(problem)
    return text


def permission_path(settings: Settings) -> Path | None:
    """The file of permissions; None if none was named, or a directory that has none now."""
    path = settings.permissions
    if path is None or not path.is_dir():
        return path
    return path / PERMISSIONS_NAME if (path / PERMISSIONS_NAME).exists() else None


def list_path(settings: Settings) -> Path | None:
    """The file that lists plans and devices, which need not be there; None if none was named."""
    path = settings.existing_lists
    return path / LISTS_NAME if path is not None and path.is_dir() else path


def instance_name(settings: Settings, address: str) -> str:
    """Name under which this Manager holds the lease."""
    return settings.instance_id or f"{socket.gethostname()}:{address.rpartition(':')[2]}"


def advertised_address(settings: Settings, address: str) -> str:
    """Where clients find this Manager, which listens at an address: never one that means "every interface"."""
    if settings.advertise is not None or address.startswith(UNIX):
        return settings.advertise or address
    host, port = host_and_port(address)
    return f"{socket.gethostname()}:{port}" if is_every_interface(host) else address
