"""The command line of start-re-manager, made of the table of options."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from queueserver_process.options import OptionParser, add_version
from queueserver_process.variables import PREFIX

from queueserver_standalone.configuration.old_options import OLD_OPTIONS
from queueserver_standalone.configuration.option import Kind, Option, closest
from queueserver_standalone.configuration.option_table import CONFIG, OPTIONS
from queueserver_standalone.data_directory import default_data_directory

#: Set by the script of --completion.
_COMPLETING = "_ARGCOMPLETE"
_EXAMPLES = """\
examples:
  start-re-manager                                                  the demo: simulated devices
  start-re-manager --startup-dir ~/beamline/startup                 your own startup code
  start-re-manager --startup-profile collection                     that of an IPython profile
  start-re-manager --config /etc/queueserver.yml                    options from a file
  start-re-manager --redis-addr localhost:6379 --key-prefix bl7     a Redis that runs already
  start-re-manager --console-output OFF --log-level INFO            as a service: the log alone

Then, in another terminal: qserver status; qserver environment open --wait; qserver -h.

Each option can also be given as an environment variable ({prefix} and its name in capitals, as in {prefix}DATA_DIR)
and as a key of the configuration file. The command line counts first, then the file, then the variable.
docs/reference/configuration.md lists all three, and what became of options of bluesky-queueserver.

exit codes: 0 stopped by Ctrl-C or SIGTERM, or on request; 1 it could not start or continue, and its last line says why;
2 wrong usage
""".replace("{prefix}", PREFIX)


def _flags() -> list[str]:
    ours = [option for option in (CONFIG, *OPTIONS) if option.on_command_line]
    return [flag for option in ours for flag in (option.flag, *option.short_forms)]


class _Parser(OptionParser):
    def refuse_unknown(self, words: Sequence[str]) -> NoReturn:
        """End with the first word that is not an option, and the option that was meant."""
        word = words[0]
        if not word.startswith("-"):
            self.error(f"'{word[:80]}' is neither an option nor the value of one")
        name = word.partition("=")[0]
        near = closest(name, _flags())
        self.error(f"there is no option {name[:80]}{f' (did you mean {near}?)' if near else ''}")


def parse_words(words: Sequence[str] | None) -> dict[str, list[str]]:
    """The words behind each option that is given. Ends the process on wrong usage, and on -h."""
    parser = _parser()
    if _COMPLETING in os.environ:
        import argcomplete  # noqa: PLC0415 - needed only when a shell completes a word

        argcomplete.autocomplete(parser)
    given, rest = parser.parse_known_args(words)
    if rest:
        parser.refuse_unknown(rest)
    return {flag: value if isinstance(value, list) else [value] for flag, value in vars(given).items()}


def _parser() -> _Parser:
    parser = _Parser(
        prog="start-re-manager",
        usage="%(prog)s [OPTION]...",
        description="Start the Queue Server on this machine: Redis, Worker and Manager. Ctrl-C stops all of it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    groups: dict[str, argparse._ActionsContainer] = {"": parser}
    for option in (CONFIG, *OPTIONS):
        if option.on_command_line:
            if option.heading not in groups:
                groups[option.heading] = parser.add_argument_group(*option.heading.split(": ", 1))
            _add_ours(groups[option.heading], option)
    for old in OLD_OPTIONS:
        for flag in old.flags:
            _add(parser, flag, old.kind, argparse.SUPPRESS)
    shells = ("bash", "zsh", "fish")
    text = "show what a shell needs to complete options; for example: start-re-manager --completion bash >> ~/.bashrc"
    parser.add_argument("--completion", action=_ShowCompletion, choices=shells, help=text)
    add_version(parser, "queueserver-standalone")
    return parser


def _add_ours(place: argparse._ActionsContainer, option: Option) -> None:
    if option.short_forms:
        place = place.add_mutually_exclusive_group()
    _add(place, option.flag, option.kind, _help_of(option))
    for flag, value in option.short_forms.items():
        text = f"the same as {option.flag} {value}"
        place.add_argument(flag, dest=option.flag, action="store_const", const=value, help=text)


def _add(place: argparse._ActionsContainer, flag: str, kind: Kind, text: str) -> None:
    action = place.add_argument(flag, dest=flag, metavar=kind.metavar, nargs=kind.words, const=kind.alone, help=text)
    if kind.choices:
        # For argcomplete. argparse does not get the choices: the kind of the option says what is wrong with a value.
        setattr(action, "completer", lambda **_: kind.choices)  # noqa: B010 - argparse has no such attribute


def _help_of(option: Option) -> str:
    if option.id == "data_dir":
        usual, of_demo = (default_data_directory(demo=demo) for demo in (False, True))
        default = f"{usual}, for the demo {of_demo}"
    else:
        default = option.default
    text = f"{option.help} (default: {default})" if default else option.help
    # A path may contain what argparse takes for a format.
    return text.replace("%", "%%")


class _ShowCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, _namespace: object, shell: object, *_: object) -> None:
        from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - as with the version

        sys.stdout.write(f"{shellcode([parser.prog], shell=str(shell))}\n")
        parser.exit()
