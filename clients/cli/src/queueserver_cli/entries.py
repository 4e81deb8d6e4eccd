"""The tools, as the shell starts them. Nothing is imported before Ctrl-C is quiet: loading takes a moment."""

from __future__ import annotations

from queueserver_cli import process


def qserver() -> None:
    """`qserver`."""
    process.prepare()
    from queueserver_cli import program  # noqa: PLC0415 - see above

    program.main()


def console_monitor() -> None:
    """`qserver-console-monitor`."""
    process.prepare(interrupted=0)
    from queueserver_cli import console_monitor as monitor  # noqa: PLC0415 - see above

    monitor.main()


def console() -> None:
    """`qserver-console` and `qserver-qtconsole`."""
    process.prepare()
    from queueserver_cli import kernel_console  # noqa: PLC0415 - see above

    kernel_console.main()
