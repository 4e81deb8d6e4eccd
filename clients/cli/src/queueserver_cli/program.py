"""`qserver`: options, the run of one command, and its exit code."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from queueserver_cli.address import CONTROL, server_address, tell_forgotten
from queueserver_cli.command_line.command import CommandBody, Local
from queueserver_cli.command_line.grammar import COMMANDS, beginning_alike, find
from queueserver_cli.command_line.options import check_options, click_options, refuse_unknown
from queueserver_cli.display.printer import Printer
from queueserver_cli.outcome import ExitCode, WrongCommand
from queueserver_cli.process import end_at_once, is_full, output_is_gone, tell, tell_full_output

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: What is meant as an option. A negative number is not, nor is a dash alone.
_OPTION = re.compile(r"--?[^\W\d]")

_DONE_ALL_THE_SAME = "The change may have been made all the same. Look at it: qserver status"


class _Qserver(click.Command):
    """`qserver` for click: options anywhere among the words, and a help that is made of the table."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words for the help, and those after ``--`` from being taken for options."""
        end = args.index("--") if "--" in args else len(args)
        args, ctx.meta["verbatim"] = args[:end], args[end + 1 :]
        ctx.obj = [arg for arg in args if not arg.startswith("-")]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The options that fit the words."""
        from queueserver_cli.command_line.completion import option_names  # noqa: PLC0415 - only what is used

        return option_names(ctx, incomplete)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and what can be typed."""
        from queueserver_cli.command_line import help as manual  # noqa: PLC0415 - only what is used

        if not manual.format_help(ctx.obj, formatter):
            manual.format_first_steps(formatter)
            super().format_options(ctx, formatter)
            manual.format_all(formatter)


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from queueserver_cli.command_line import completion  # noqa: PLC0415 - only what is used

    return completion.words(context, parameter, incomplete)


def qserver() -> click.Command:
    """The program for click."""
    words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED, metavar="COMMAND...", shell_complete=_complete)
    return _Qserver(
        "qserver",
        callback=_run,
        params=[*click_options(), words],
        context_settings={
            "ignore_unknown_options": True,
            "help_option_names": ["-h", "--help"],
            "max_content_width": 110,
        },
        options_metavar="[OPTIONS]",
        help="Talk to a Queue Server: one command for each call.",
    )


@click.pass_context
def _run(context: click.Context, /, words: tuple[str, ...], **options: Any) -> ExitCode:
    verbatim = context.meta["verbatim"]
    printer = Printer((*words, *verbatim), as_json=options["json"])
    if not words:
        if printer.as_json:
            printer.wrong_command("There is no command. See: qserver -h")
        else:
            tell(context.get_help())
        return ExitCode.REFUSED
    given = [key for key in options if context.get_parameter_source(key) is ParameterSource.COMMANDLINE]
    try:
        action = _parse(words, verbatim, {key: options[key] for key in given})
    except WrongCommand as error:
        printer.begin()
        printer.wrong_command(str(error))
        return ExitCode.WRONG_COMMAND
    if isinstance(action, Local):
        click.echo(action.text)
        return ExitCode.SUCCESS
    return _execute(action, printer, options)


def _execute(action: CommandBody, printer: Printer, options: Mapping[str, Any]) -> ExitCode:
    try:
        printer.begin()
    except OSError as error:  # nothing was sent yet
        tell_full_output(error)
        return ExitCode.REFUSED
    # Imported here, so that help is quick: this imports gRPC.
    from queueserver_cli.run import run  # noqa: PLC0415

    try:
        address = server_address(options, CONTROL, os.environ, printer.note)
        tell_forgotten(options, os.environ, printer.note)
        return run(action, printer, {**options, "address": address})
    except (WrongCommand, ValueError) as error:
        printer.wrong_command(str(error))
        return ExitCode.WRONG_COMMAND
    except BrokenPipeError:
        output_is_gone()
        return ExitCode.SUCCESS


def _parse(words: Sequence[str], verbatim: Sequence[str], given: Mapping[str, Any]) -> CommandBody | Local:
    for word in (*words, *verbatim, *(given[key] for key in given if key != "lock_key")):
        if isinstance(word, str):
            _check_text(word)
    options = [word for word in words if _OPTION.match(word)]
    if options:
        near = beginning_alike([word for word in words if word not in options])
        refuse_unknown(options[0], near[0] if len(near) == 1 else None)
    command, rest = find((*words, *verbatim))
    check_options(command, given, COMMANDS)
    return command.parse(rest)


def _check_text(word: str) -> None:
    """Bytes that are not UTF-8 arrive as lone surrogates: refuse them with their place."""
    try:
        word.encode()
    except UnicodeEncodeError as error:
        raise WrongCommand(
            f"A parameter is not valid UTF-8: byte 0x{ord(word[error.start]) & 0xFF:02x} "
            f"after {word[max(0, error.start - 20) : error.start]!r}."
        ) from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `qserver` and exit."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = qserver().main(args=list(arguments), prog_name="qserver", standalone_mode=False)
    except click.UsageError as error:
        Printer(arguments, as_json="--json" in arguments).wrong_command(f"{error.format_message()} See: qserver -h")
        code = ExitCode.WRONG_COMMAND
    except (KeyboardInterrupt, click.Abort):
        code = ExitCode.INTERRUPTED
    except OSError as error:
        if not is_full(error):
            raise
        output_is_gone()
        tell(f"The answer can't be written: {error.strerror}. {_DONE_ALL_THE_SAME}")
        code = ExitCode.REFUSED
    exit_code = int(code or 0)
    end_at_once(exit_code)
    sys.exit(exit_code)
