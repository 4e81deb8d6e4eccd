"""`qserver`. Ctrl-C ends it quietly from the first moment on, while it still loads."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_cli import interruption


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `qserver` and exit."""
    interruption.end_at_once()
    # Only now: this takes the time in which people press Ctrl-C.
    from queueserver_cli import program  # noqa: PLC0415

    program.main(arguments)


if __name__ == "__main__":
    main()
