"""The settings of a standalone server, made from its options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from queueserver_process.log import LogChoice
from queueserver_rpc.advertised_address import refusal_of_address
from queueserver_rpc.listening import UNIX, ListenError, is_address, refuse_unasked
from queueserver_rpc.redis_credentials import CredentialsError, with_credentials

from queueserver_standalone.configuration.choices import Choices, gather
from queueserver_standalone.configuration.option import NEVER, absolute_path
from queueserver_standalone.configuration.option_table import (
    BY_ID,
    DEFAULT_LISTEN,
    DEFAULT_LOG_LEVEL,
    DEFAULT_WARNING_MB,
    QUIET_LOG_LEVEL,
    SIZES,
)
from queueserver_standalone.configuration.redis_address import redis_url
from queueserver_standalone.configuration.startup_source import Startup, read_startup
from queueserver_standalone.configuration.zmq_bridge import ZmqBridge, read_bridge
from queueserver_standalone.data_directory import default_data_directory
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.manager_files import ManagerFiles, read_files

MEGABYTE = 1024 * 1024
#: The bound of every lock key in the contract.
_MOST_KEY_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is decided before the parts start."""

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
    #: So many replicas of Redis have to have a change; None to leave it to the Manager.
    redis_replicas: int | None = None
    #: ``HOST:PORT`` that the Manager tells clients; None to leave it to the Manager.
    advertise: str | None = None
    #: `listen` may be an address that others than this machine's own programs can reach.
    insecure_listen: bool = False
    #: Warn when the disk of the embedded Redis has fewer free bytes; 0 for no warning.
    warn_below: int = DEFAULT_WARNING_MB * MEGABYTE
    #: Seconds that a question of a plan waits for an answer, or "none".
    question_timeout: str = NEVER
    #: The user group of clients that send none; empty to leave the choice to the Manager.
    default_group: str = ""
    #: Clients may upload code.
    scripts: bool = True
    #: Keys of RE.md that clients may see; empty for all.
    permitted_metadata: tuple[str, ...] = ()
    #: Opens every lock; empty for none. For the Manager alone, and never shown.
    emergency_lock_key: str = field(default="", repr=False)
    #: Arguments for the Manager: how much it keeps.
    kept: tuple[str, ...] = ()
    #: What serves clients of bluesky-queueserver.
    zmq_bridge: ZmqBridge = field(default_factory=ZmqBridge)
    #: How much all parts log, and in which form.
    log: LogChoice = field(default_factory=LogChoice)
    #: Advice about the options, for the person at the terminal.
    notes: tuple[str, ...] = ()
    #: The configuration file or directory, if there is one.
    config: Path | None = None


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read command line, configuration file and environment.

    Raises StandaloneError for values that can't work; ends the process on wrong usage of the command line.
    """
    choices = gather(arguments)
    startup = read_startup(choices)
    insecure = choices.is_on("insecure_listen")
    advertise = choices.text("advertise_address")
    warning = choices.number("free_space_warning")
    console_is_shown = choices.is_on("console_output", default=True)
    return Settings(
        listen=_listen_address(choices.text("listen") or DEFAULT_LISTEN, insecure=insecure),
        data_directory=choices.path("data_dir") or default_data_directory(demo=startup.is_demo).absolute(),
        startup=startup,
        files=read_files(choices, startup.directory),
        redis=_redis(choices),
        redis_replicas=choices.number("redis_replicas"),
        key_prefix=choices.text("key_prefix") or "qs",
        console_output="ON" if console_is_shown else "OFF",
        advertise=_advertised_address(advertise) if advertise else None,
        insecure_listen=insecure,
        warn_below=(DEFAULT_WARNING_MB if warning is None else warning) * MEGABYTE,
        question_timeout=choices.text("question_timeout") or NEVER,
        default_group=_default_group(choices.text("default_user_group") or ""),
        scripts=choices.is_on("scripts", default=True),
        permitted_metadata=choices.words("permitted_re_metadata_keys"),
        emergency_lock_key=_emergency_key(choices.text("emergency_lock_key") or ""),
        kept=tuple(word for size in SIZES if size in choices.said for word in _argument(choices, size)),
        zmq_bridge=read_bridge(choices, insecure=insecure),
        log=_log_choice(choices, console_is_shown=console_is_shown),
        notes=tuple(choices.notes),
        config=choices.config,
    )


def _redis(choices: Choices) -> str | None:
    """URL of an existing Redis, with the user and the password that are said elsewhere; None for the embedded one."""
    address = choices.text("redis_addr")
    user, password = choices.text("redis_username") or "", choices.text("redis_password") or ""
    password_file = choices.path("redis_password_file")
    if not address:
        if user or password or password_file:
            raise StandaloneError("A user or a password of Redis is given, but no --redis-addr: add it.")
        return None
    try:
        return with_credentials(redis_url(address), user, password, password_file)
    except CredentialsError as error:
        raise StandaloneError(str(error)) from None


def _log_choice(choices: Choices, *, console_is_shown: bool) -> LogChoice:
    """The log level: without console text, a terminal shows only warnings unless a level is given."""
    level = choices.text("log_level") or (DEFAULT_LOG_LEVEL if console_is_shown else QUIET_LOG_LEVEL)
    return LogChoice(level, choices.text("log_format") or "text")


def _argument(choices: Choices, option: str) -> tuple[str, str]:
    """An option with its value, as the parts accept it too."""
    return BY_ID[option].flag, str(choices.said[option].value)


def _emergency_key(key: str) -> str:
    if len(key) > _MOST_KEY_CHARACTERS:
        raise StandaloneError(f"The emergency lock key has more than {_MOST_KEY_CHARACTERS} characters. Shorten it.")
    return key


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
    if not text.startswith(UNIX):
        return text
    try:
        return f"{UNIX}{absolute_path(text.removeprefix(UNIX))}"
    except ValueError as error:
        raise StandaloneError(f"--listen {error}.") from None


def _default_group(name: str) -> str:
    if name == "root":
        raise StandaloneError("--default-user-group can't be 'root', which submits nothing. Name another group.")
    return name


def _advertised_address(text: str) -> str:
    problem = refusal_of_address(text)
    if problem is not None:
        raise StandaloneError(f"--advertise-address {problem}.")
    return text
