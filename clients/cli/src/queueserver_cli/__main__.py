"""`qserver`: options, the run of one command, and its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from queueserver_cli.grammar import COMMANDS, Action, Command, beginning_alike, find
from queueserver_cli.outcome import ExitCode, WrongCommand
from queueserver_cli.printer import Printer

_EXAMPLES = """\
qserver environment open --wait
qserver queue add plan '{"name": "count", "args": [["det1", "det2"]], "kwargs": {"num": 5}}'
qserver queue add plan front '{"name": "scan", "args": [["det1"], "motor", -2, 2, 5]}'
qserver queue add instruction -2 queue-stop
qserver queue update plan UID '{"name": "count", "args": [["det1"]]}' --validate-only
qserver queue item move UID before UID
qserver queue mode set loop true interrupted hold
qserver queue simulate plan '{"name": "scan", "args": [["det1"], "motor", -2, 2, 5]}'
qserver queue start
qserver why
qserver re pause immediate
qserver re abort now
qserver function execute '{"name": "function_sleep", "args": [3]}' --wait
qserver script upload new_plans.py --wait
qserver watch
qserver --json history get"""

#: Commands of the queue whose item can be checked without changing anything.
_CHECKED = ("add", "update", "replace", "execute")
#: Commands that begin something which can be followed to its end begin with these words.
_WAITED = ("environment", "function", "script")


_WORDS = (
    ("PLAN", "one word, JSON or a Python dictionary: name, args, kwargs, meta (one dictionary or several)"),
    ("FUNC", "as PLAN: name, args, kwargs of a function"),
    ("ADDR, DEST", "front, back, an index (negative from the back), before UID, after UID"),
    ("SRC", "front, back, an index or a UID"),
    ("KIND", "status, queue, history, console, document, task, permission; all of them if none is named"),
    ("NAME VALUE", "loop true|false, ignore_failures true|false, interrupted requeue|hold|drop"),
)


class _Help(click.Command):
    """A command whose help lists the commands of the grammar.

    ``qserver queue add --help`` lists those that begin with "queue add".
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words for the help, which is printed before they are parsed."""
        ctx.obj = [arg for arg in args if not arg.startswith("-")]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and what can be typed."""
        commands = beginning_alike(ctx.obj)
        if commands:
            self._format_some(commands, formatter)
        else:
            super().format_options(ctx, formatter)
            self._format_all(formatter)

    def _format_some(self, commands: Sequence[Command], formatter: click.HelpFormatter) -> None:
        _format_commands(commands, formatter)
        parameters = " ".join(command.parameters for command in commands)
        words = [(word, meaning) for word, meaning in _WORDS if any(part in parameters for part in word.split(", "))]
        if words:
            with formatter.section("Where"):
                formatter.write_dl(words)
        begins = tuple(f"qserver {' '.join(command.words)}" for command in commands)
        _format_examples([line for line in _EXAMPLES.splitlines() if line.startswith(begins)], formatter)
        formatter.write("\nAll options and commands: qserver -h\n")

    def _format_all(self, formatter: click.HelpFormatter) -> None:
        _format_commands(COMMANDS, formatter)
        with formatter.section("Where"):
            formatter.write_dl(_WORDS)
        _format_examples(_EXAMPLES.splitlines(), formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl(
                [
                    ("0", "done"),
                    ("1", "wrong command or parameters; nothing was sent"),
                    ("2", "refused by the server"),
                    ("3", "no connection to the server"),
                    ("130", "ended by Ctrl-C before the answer came"),
                ]
            )


def _format_commands(commands: Sequence[Command], formatter: click.HelpFormatter) -> None:
    with formatter.section("Commands"):
        formatter.write_dl([(command.usage, command.summary) for command in commands], col_max=36)


def _format_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"  {example}\n")


@click.command(
    cls=_Help,
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"], "max_content_width": 110},
    options_metavar="[OPTIONS]",
)
@click.option("--address", "-a", metavar="HOST:PORT", help="The server; default QSERVER_ADDRESS or 127.0.0.1:60630.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option(
    "--user",
    envvar="QSERVER_USER",
    default="qserver-cli",
    show_default=True,
    help="Act under this name; also QSERVER_USER.",
)
@click.option(
    "--user-group",
    envvar="QSERVER_USER_GROUP",
    help="Act in this group; also QSERVER_USER_GROUP. Default: the server's choice.",
)
@click.option(
    "--timeout", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True, help="Seconds for a call."
)
@click.option("--wait", is_flag=True, help="environment, function, script: follow to the end.")
@click.option("--validate-only", is_flag=True, help="queue add, update, replace, execute; permissions set: check only.")
@click.option("--resume", metavar="TOKEN", help="watch: go on from the token that an earlier watch ended with.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND...")
@click.pass_context
def qserver(
    context: click.Context,
    words: tuple[str, ...],
    address: str | None,
    user: str,
    user_group: str | None,
    timeout: float,
    *,
    as_json: bool,
    wait: bool,
    validate_only: bool,
    resume: str | None,
) -> ExitCode:
    """Talk to a Queue Server: one command for each call."""
    if not words:
        if as_json:
            Printer(words, as_json=True).wrong_command("There is no command. See: qserver -h")
        else:
            click.echo(context.get_help(), err=True)
        return ExitCode.REFUSED
    printer = Printer(words, as_json=as_json)
    printer.begin()
    try:
        action = _parse(words, wait=wait, validate_only=validate_only, resume=resume)
    except WrongCommand as error:
        printer.wrong_command(str(error))
        return ExitCode.WRONG_COMMAND
    # Only now, so that help is quick: this imports gRPC.
    from queueserver_cli.run import run  # noqa: PLC0415

    try:
        return run(
            action,
            printer,
            address=address,
            user=user,
            user_group=user_group,
            timeout=timeout,
            wait=wait,
            validate_only=validate_only,
            resume=resume or "",
        )
    except ValueError as error:
        printer.wrong_command(str(error))
        return ExitCode.WRONG_COMMAND
    except BrokenPipeError:
        # Whoever read our output has enough; point it elsewhere so that the interpreter's last flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.SUCCESS


def _parse(words: Sequence[str], *, wait: bool, validate_only: bool, resume: str | None) -> Action:
    for word in (*words, resume or ""):
        _check_text(word)
    command, rest = find(words)
    if wait and command.words[0] not in _WAITED:
        raise WrongCommand(f"--wait belongs to: qserver {', '.join(_WAITED)}.")
    if validate_only and command.words[:2] not in [*(("queue", word) for word in _CHECKED), ("permissions", "set")]:
        raise WrongCommand(f"--validate-only belongs to: qserver queue {', '.join(_CHECKED)}; permissions set.")
    if resume is not None and command.words[0] != "watch":
        raise WrongCommand("--resume belongs to: qserver watch.")
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
    # Before anything imports gRPC: what happens to the connection is told by us, not by the library.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character must not lose the answer.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = qserver.main(args=list(arguments), prog_name="qserver", standalone_mode=False)
    except click.UsageError as error:
        Printer(arguments, as_json="--json" in arguments).wrong_command(f"{error.format_message()} See: qserver -h")
        code = ExitCode.WRONG_COMMAND
    except (KeyboardInterrupt, click.Abort):
        code = ExitCode.INTERRUPTED
    sys.exit(int(code or 0))


if __name__ == "__main__":
    main()
