"""What can go wrong, each with the exit code of the command."""

from __future__ import annotations


class Failure(Exception):  # noqa: N818 - named for what it is to the person at the terminal
    """The command ends; the message is one sentence that says what to do."""

    exit_code = 2


class NoConnection(Failure):
    """The old Redis or the server can't be reached."""

    exit_code = 3


class Broken(Exception):  # noqa: N818 - what a part of the old state is
    """A part of the old state is not what bluesky-queueserver writes, so it is left out; the message says why."""
