"""The command line of the environment process, as the supervisor writes it.

Nothing is checked here: what is wrong with the startup code is reported through the channel, not by a usage message.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass

from queueserver_environment.startup.startup_sources import StartupSource, source_of


@dataclass(frozen=True)
class EnvironmentArguments:
    """What an environment is started with."""

    #: File descriptor of the inherited socket.
    channel_fd: int
    source: StartupSource
    #: Use the RunEngine of the startup code, or none.
    keep_re: bool
    #: Don't open if anything of the startup code can't be used.
    strict: bool
    #: Levels of device trees that are described; 0 for all.
    device_max_depth: int
    #: Seconds until a question of a plan that has no answer fails; None for ever.
    question_timeout: float | None = None
    #: The command that lists plans and devices of startup code in a file; empty: that of the installed Worker.
    list_command: tuple[str, ...] = ()


def read_arguments(argv: Sequence[str] | None = None) -> EnvironmentArguments:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="queueserver_environment", description=__doc__)
    parser.add_argument("--channel-fd", type=int, required=True, help="file descriptor of the inherited socket")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--startup-dir", help="directory of startup files")
    source.add_argument("--startup-script", help="one startup file")
    source.add_argument("--startup-module", help="dotted name of an installed module")
    parser.add_argument("--keep-re", action="store_true", help="never make a RunEngine; use RE if defined")
    parser.add_argument("--strict-startup", action="store_true", help="don't open if anything can't be used")
    parser.add_argument("--device-max-depth", type=int, default=0, help="levels of device trees; 0: all")
    parser.add_argument("--question-timeout", type=float, default=None, help="seconds a plan waits for an answer")
    parser.add_argument(
        "--list-command",
        type=_words,
        default=(),
        help="JSON list of words: the command that lists the plans and devices of startup code in a file",
    )
    given = parser.parse_args(argv)
    return EnvironmentArguments(
        channel_fd=given.channel_fd,
        source=_source(given),
        keep_re=given.keep_re,
        strict=given.strict_startup,
        device_max_depth=given.device_max_depth,
        question_timeout=given.question_timeout,
        list_command=given.list_command,
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(map(str, json.loads(text)))


def _source(given: argparse.Namespace) -> StartupSource:
    if given.startup_dir is not None:
        return source_of("directory", given.startup_dir)
    if given.startup_script is not None:
        return source_of("script", given.startup_script)
    return source_of("module", given.startup_module)
